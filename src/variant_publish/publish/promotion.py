"""Promote a release from one index to another: from test to release, without building or sending it again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import UsageError
from variant_publish.formats.provenance import PROVENANCE_SUFFIX
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.formats.stage_state import StagedFile
from variant_publish.index.index import Upload, hosted_url, read_selectors
from variant_publish.index.masters import read_index
from variant_publish.index.yank import yank
from variant_publish.model.url import resolve
from variant_publish.model.versions import version_or_none
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import Destinations
from variant_publish.publish.placement import is_sdist
from variant_publish.publish.upload_plan import UploadPlan
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.publish.uploads import ReleaseFiles
from variant_publish.publish.verified_files import Claim, FalseClaim, VerifiedFiles, verified
from variant_publish.remote.files import download
from variant_publish.remote.local import local_path
from variant_publish.store.folder import LocalStore
from variant_publish.store.keys import key_of
from variant_publish.store.objects import JSON
from variant_publish.store.store import Store

_SOMEWHERE = "http://index.invalid"
"""Where a bucket's pages lie is not known; they link what lies elsewhere by its full address."""


def files_of(store: Store, name: str, version: str) -> ReleaseFiles:
    """Return the files of a release on an index; raise UsageError where it has no such release."""
    project = canonicalize_name(name)
    index, wanted = read_index(store, project), version_or_none(version)
    entries = [file for file in index.distributions if version_of(file.filename) == str(wanted)] if index else []
    if index is None or not entries:
        known = f"it has {', '.join(index.versions[-8:])}" if index else "see 'variant-publish index list'"
        raise UsageError(f"{store.describe()} has no release {project} {version}", hint=known)
    uploads = tuple(
        _upload(store, project, entry)
        for entry in sorted(entries, key=lambda file: (is_sdist(file.filename), file.filename))
    )
    return ReleaseFiles(project, str(wanted), uploads, read_selectors(store, index, str(wanted)))


def _upload(store: Store, project: str, entry: IndexFile) -> Upload:
    """Return a listed file as an upload; METADATA of one that is only linked is known when it has been fetched."""
    metadata = None
    if entry.is_hosted and entry.metadata_sha256:
        key = key_of(project, f"{entry.filename}.metadata")
        stored = store.read(key)
        if stored is None or hashlib.sha256(stored.content).hexdigest() != entry.metadata_sha256:
            raise UsageError(
                f"{store.describe()}: {key} is not what the index lists", hint="see 'variant-publish index verify'"
            )
        metadata = stored.content
    return Upload(project, Path(entry.filename), entry, metadata)


class Promotion(msgspec.Struct, frozen=True):
    """What goes from the index in `origin` to the destinations of the plans, one for each project."""

    origin: Store
    plans: tuple[UploadPlan, ...]

    def run(self, destinations: Destinations, reporter: Reporter = SILENT) -> tuple[UploadResult, ...]:
        """Copy what is missing, list it, and send the repository its share; the same call again finishes a cut-off.

        Every file that moves is read once and compared with the index before anything is listed. A yank goes along.
        """
        with self._fetched(reporter) as (linked, local):
            claims = {}
            for plan in self.plans:
                moved = plan.moved()
                for upload in plan.files.uploads:
                    file = StagedFile(plan.project, upload.entry.filename)
                    if upload.entry.is_hosted and file in moved:
                        claims[file] = Claim.of_upload(upload)
            keep = {file for plan in self.plans for file in plan.to_repository()}
            with verified(self.origin, claims, keep, reporter) as files:
                sources = VerifiedFiles(files.stored, {**files.local, **local})
                return tuple(self._publish(plan, destinations, sources, linked, reporter) for plan in self.plans)

    def _publish(
        self,
        plan: UploadPlan,
        destinations: Destinations,
        sources: VerifiedFiles,
        linked: dict[StagedFile, Upload],
        reporter: Reporter,
    ) -> UploadResult:
        uploads = tuple(
            linked.get(StagedFile(plan.project, upload.entry.filename), upload) for upload in plan.files.uploads
        )
        for upload in uploads:
            if upload.entry.provenance is not None and upload.entry.is_hosted:
                self._copy_provenance(destinations.store, upload)
        own = tuple(_own(item) for item in uploads)
        done = publish(replace(plan, files=replace(plan.files, uploads=own)), destinations, reporter, sources=sources)
        return replace(done, pages=(*done.pages, *self._yank(plan, destinations.store)))

    def _copy_provenance(self, store: Store, upload: Upload) -> None:
        key = key_of(upload.project, upload.entry.filename + PROVENANCE_SUFFIX)
        stored = self.origin.read(key)
        if stored is not None:
            digest = hashlib.sha256(stored.content).hexdigest()
            store.create(key, stored.content, sha256=digest, content_type=JSON)

    def _yank(self, plan: UploadPlan, store: Store) -> Iterator[str]:
        """Yank what the origin has yanked and the destination has not."""
        index = read_index(store, plan.project)
        there = {file.filename: file.yanked for file in index.distributions} if index is not None else {}
        entries = (upload.entry for upload in plan.files.uploads if upload.entry.yanked is not None)
        new = [entry for entry in entries if entry.filename in there and there[entry.filename] is None]
        for reason, group in groupby(sorted(new, key=lambda entry: entry.yanked or ""), lambda entry: entry.yanked):
            yield from yank(store, plan.project, [entry.filename for entry in group], reason).written

    @contextmanager
    def _fetched(self, reporter: Reporter) -> Iterator[tuple[dict[StagedFile, Upload], dict[StagedFile, Path]]]:
        """Download what the origin only links; yield it as uploads with METADATA, and where it lies."""
        uploads: dict[StagedFile, Upload] = {}
        paths: dict[StagedFile, Path] = {}
        with TemporaryDirectory(prefix="variant-publish-") as folder:
            for plan in self.plans:
                moved = plan.moved()
                for upload in plan.files.uploads:
                    file = StagedFile(plan.project, upload.entry.filename)
                    if upload.entry.is_hosted or file not in moved:
                        continue
                    path = paths[file] = Path(folder) / file.project / file.filename
                    _download(self.origin, upload, path, reporter)
                    uploads[file] = _with_metadata(upload, path)
            yield uploads, paths


def _download(origin: Store, upload: Upload, path: Path, reporter: Reporter) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    root = origin.folder.resolve().as_uri() if isinstance(origin, LocalStore) else _SOMEWHERE
    url = resolve(f"{root}/{upload.project}/", upload.entry.url)
    if (place := local_path(url)) is None:
        download(replace(upload.entry, url=url), path, reporter)
        return
    shutil.copyfile(place, path)
    with path.open("rb") as stream:
        if (digest := hashlib.file_digest(stream, "sha256").hexdigest()) != upload.entry.sha256:
            raise FalseClaim(
                origin,
                StagedFile(upload.project, path.name),
                f"its SHA-256 is {digest}, and {upload.entry.sha256} is said",
            )


def _own(upload: Upload) -> Upload:
    """Return a file of the origin as the destination lists it."""
    entry = replace(upload.entry, url=hosted_url(upload.entry.filename), provenance=None)
    return replace(upload, entry=entry)


def _with_metadata(upload: Upload, path: Path) -> Upload:
    if is_sdist(path.name):
        return upload
    metadata = WholeWheel.read(path).info["METADATA"]
    digest = hashlib.sha256(metadata).hexdigest()
    return replace(upload, metadata=metadata, entry=replace(upload.entry, metadata_sha256=digest))
