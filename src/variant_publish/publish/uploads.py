"""The files of a release as uploads, and the selector files that installers choose them by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from packaging.utils import NormalizedName

from variant_publish.archive.wheel import WholeWheel
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload, hosted_url
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles, of_release
from variant_publish.store.objects import iso


class ReleaseFiles(msgspec.Struct, frozen=True):
    """What is published of a release: its wheels (but for those of views) and sdists, and its selector files."""

    project: NormalizedName
    version: str
    uploads: tuple[Upload, ...]
    selector_files: SelectorFiles
    builds: Mapping[str, str] = {}
    """Wheel -> the build that it is of: wheels that differ by their dialect alone are one."""

    @classmethod
    def of_release(cls, release: Release, reporter: Reporter = SILENT, *, attest: bool = False) -> ReleaseFiles:
        """Return the files of wheels and sdists on this machine, or of their summaries."""
        uploads = tuple(uploads_of(release.for_installers(), attest=attest))
        names = [wheel.name for wheel in release.wheels]
        builds = {str(name): f"{release.variant_of(name)} {name.generic()}" for name in names}
        return cls(release.project, str(release.version), uploads, of_release(release, reporter), builds)

    @property
    def by_name(self) -> dict[str, Upload]:
        """Return the uploads by file name."""
        return {upload.entry.filename: upload for upload in self.uploads}


def uploads_of(release: Release, *, attest: bool = False) -> Iterator[Upload]:
    """Yield the uploads of a release, wheels first; with `attest` the attestations beside the files go with them."""
    time = upload_time()
    attestations = release.attestations() if attest else {}
    for wheel in release.described:
        metadata = wheel.info["METADATA"]
        entry = IndexFile(
            wheel.filename,
            hosted_url(wheel.filename),
            wheel.sha256,
            wheel.size,
            wheel.metadata.requires_python,
            hashlib.sha256(metadata).hexdigest(),
            time,
        )
        path = wheel.path if isinstance(wheel, WholeWheel) else Path(wheel.filename)
        yield Upload(release.project, path, entry, metadata, attestations.get(wheel.filename))
    for sdist in release.sdists:
        entry = IndexFile(sdist.filename, hosted_url(sdist.filename), sdist.sha256, sdist.size, upload_time=time)
        yield Upload(release.project, sdist.path, entry, attestation=attestations.get(sdist.filename))


def upload_time() -> str:
    """Return the upload time for index pages: SOURCE_DATE_EPOCH, else the clock (ISO 8601 in UTC)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return iso(moment)
