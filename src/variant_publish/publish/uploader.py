"""Carry out an upload plan: files first, then pages, the sdist last; a rerun finishes what was cut off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.formats.provenance import PROVENANCE_SUFFIX
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import ProjectFacts, Upload, send, update_project
from variant_publish.model.quantity import count
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.built_once import SentBuilds
from variant_publish.publish.destinations import Destinations
from variant_publish.publish.placement import Destination, Placement, Transfer
from variant_publish.publish.repository import Repository
from variant_publish.publish.upload_plan import UploadPlan
from variant_publish.publish.verified_files import VerifiedFiles
from variant_publish.publish.view_apply import PublishedView, preflight, publish_views, relinked
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.objects import CreateOutcome

SCHEMA_VERSION = 1
DEADLINE_S = 180.0

_FILES = ("sent", "copied", "skipped", "linked", "pages", "missing")
"""The fields of a result that are names of files."""


class UploadResult(msgspec.Struct, frozen=True):
    """What publishing did: file names sent, copied on the store, found there, listed for the first time; pages written.

    `missing` are files that the repository took and does not show yet: run the command again to list them.
    `fault` says why users cannot read the extra index, "" if they can. `views` are the results of the indexes of one
    variant each.
    """

    sent: tuple[str, ...]
    copied: tuple[str, ...]
    skipped: tuple[str, ...]
    linked: tuple[str, ...]
    pages: tuple[str, ...]
    missing: tuple[str, ...] = ()
    fault: str = ""
    views: tuple[PublishedView, ...] = ()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Return why users cannot read the extra index, or a view."""
        return tuple(filter(None, (self.fault, *(view.fault for view in self.views))))

    @property
    def changed(self) -> bool:
        """Return whether anything was sent or written."""
        return bool(self.sent or self.copied or self.pages or any(view.changed for view in self.views))

    @property
    def is_complete(self) -> bool:
        """Return whether the extra index lists every file, and users can read it."""
        return not (self.missing or self.unreadable)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        found = {"schema-version": SCHEMA_VERSION, "changed": self.changed, "complete": self.is_complete}
        files = {name: list(getattr(self, name)) for name in _FILES}
        views = [view.table() for view in self.views]
        return {**found, **files, "unreadable": list(self.unreadable), "views": views}


def publish(
    plan: UploadPlan,
    destinations: Destinations,
    reporter: Reporter = SILENT,
    *,
    sources: VerifiedFiles | None = None,
    deadline_s: float = DEADLINE_S,
) -> UploadResult:
    """Carry out a plan; `sources` are the files of a release that lies in another store.

    Preflight of all places; files to the extra index; wheels to the repository; master and pages; sdists to the
    repository and their links; views. A plan without changes sends nothing and only rewrites pages. Raises
    VariantPublishError at the first file that is refused; what was sent stays, and the same command goes on from there.
    """
    uploader = _Uploader(plan, destinations, reporter, sources or VerifiedFiles(), deadline_s)
    uploader.preflight()
    result = uploader.run()
    views = publish_views(plan.views, destinations, uploader.builds, reporter)
    mine = {view.name for view in plan.views}
    others = set(uploader.views) - mine  # another job made them after this one had planned
    result = replace(result, pages=(*result.pages, *relinked(others, plan.project, plan.version, destinations)))
    if fault := uploader.public_fault():
        reporter.warn(fault)
    return replace(result, views=views, fault=fault)


class _Uploader:
    """Carry out one plan and keep account of it."""

    def __init__(
        self,
        plan: UploadPlan,
        destinations: Destinations,
        reporter: Reporter,
        sources: VerifiedFiles,
        deadline_s: float,
    ) -> None:
        self.plan = plan
        self.destinations = destinations
        self.store = destinations.store
        self.repository = destinations.repository
        self.public_url = plan.settings.public_url
        self.views: Collection[str] = ()
        self.reporter = reporter
        self.sources = sources
        self.deadline_s = deadline_s
        self.uploads = {
            name: replace(upload, path=sources.path_of(upload), entry=self._attested(upload.entry))
            for name, upload in plan.files.by_name.items()
        }
        self.builds = SentBuilds(self.store, plan.files.builds)
        self.done: dict[str, list[str]] = {name: [] for name in _FILES}

    def _attested(self, entry: IndexFile) -> IndexFile:
        """Announce the provenance of a file, where its address is known: it must be full and secure (PEP 740)."""
        root = redact(self.public_url or "").rstrip("/")
        if entry.filename not in self.plan.attested or not root.startswith("https://"):
            return entry
        return replace(entry, provenance=f"{root}/{self.plan.project}/{entry.url}{PROVENANCE_SUFFIX}")

    def preflight(self) -> None:
        """Ask every place whether it would take what the plan sends; a plan without changes asks nothing."""
        if self.plan.views:
            preflight(self.plan.views, self.plan.settings)
        if self.plan.changes:
            own = [item for item in self.plan.placements if item.destination is Destination.EXTRA_INDEX]
            self.store.preflight(max((item.size for item in own if item.transfer is not Transfer.SKIP), default=0))
        items = (item for item in self.plan.placements if item.destination is Destination.REPOSITORY)
        if names := [item.file for item in items if item.transfer is Transfer.UPLOAD]:
            self._repository.preflight([self.uploads[name].path for name in names])

    def run(self) -> UploadResult:
        """Do everything in order.

        What the extra index links must be in the repository before it is listed; with copies of everything the extra
        index is whole by itself, and is listed before the repository can fail.
        """
        hosted = [item for sdists in (False, True) for item in self.plan.to(Destination.EXTRA_INDEX, sdists=sdists)]
        own = {item.file for item in hosted}
        links = [item for item in self.plan.to(Destination.REPOSITORY) if item.file not in own]
        self._send(self.plan.to(Destination.EXTRA_INDEX))
        self._send(links)
        self._send(self.plan.to(Destination.EXTRA_INDEX, sdists=True))
        self._list([*self._own(hosted), *self._found(links)], self.plan.files.selector_files)
        self._send([item for item in self.plan.to(Destination.REPOSITORY) if item.file in own])
        sdists = self.plan.to(Destination.REPOSITORY, sdists=True)
        self._send(sdists)
        if found := self._found([item for item in sdists if item.file not in own]):
            self._list(found)
        if missing := self.done["missing"]:
            self.reporter.warn(
                f"{self._repository.describe()} took {', '.join(missing)} and does not show it yet:"
                " run the same command again to complete the extra index"
            )
        done: dict[str, Any] = {name: tuple(files) for name, files in self.done.items()}
        return UploadResult(**{**done, "pages": tuple(dict.fromkeys(done["pages"]))})

    def public_fault(self) -> str:
        """Return why users cannot read the extra index, "" if they can or nothing is known of its address."""
        hosted = [self.uploads[item.file].entry for item in self.plan.to(Destination.EXTRA_INDEX)]
        return self.destinations.fault(self.store, self.public_url or "", self.plan.project, hosted)

    @property
    def _repository(self) -> Repository:
        if self.repository is None:
            raise AssertionError("the plan sends to a repository that was not given")
        return self.repository

    def _send(self, placements: Iterable[Placement]) -> None:
        for item in placements:
            upload, hosts = self.uploads[item.file], item.destination is Destination.EXTRA_INDEX
            done = "copied" if item.transfer is Transfer.COPY else "sent"
            if item.transfer is Transfer.SKIP:
                if hosts:
                    self.builds.add(upload, is_sent=False)
                self.done["skipped"].append(item.file)
                continue
            with self.reporter.track(item.file, item.size) as advance:
                if hosts:
                    source = self.sources.stored_of(upload) or self.builds.another_name_of(upload)
                    outcome = send(self.store, upload, advance, source)
                    self.builds.add(upload, is_sent=True)
                else:
                    outcome = self._repository.upload(upload, advance)
            self.done[done if outcome is CreateOutcome.CREATED else "skipped"].append(item.file)

    def _own(self, placements: list[Placement]) -> list[IndexFile]:
        listed = (item for item in placements if not item.is_listed or item.transfer is not Transfer.SKIP)
        return [self.uploads[item.file].entry for item in listed]

    def _found(self, placements: Sequence[Placement]) -> list[IndexFile]:
        """Return the repository's entries of files that the extra index does not list yet."""
        expected = {item.file: item.sha256 for item in placements if not item.is_listed}
        if not expected:
            return []
        self.reporter.note(f"waiting until {self._repository.describe()} shows {count(len(expected), 'file')}")
        shown = self._repository.listed(self.plan.project, expected, self.deadline_s)
        self.done["missing"] += sorted(set(expected) - {file.filename for file in shown})
        return [_completed(file, self.uploads) for file in shown]

    def _list(self, files: list[IndexFile], selectors: SelectorFiles | None = None) -> None:
        """List files; with the selector files for the first time, so that the master may be as it was planned with."""
        inventory = self.plan.inventory
        facts = ProjectFacts(
            self.plan.version,
            selectors,
            self.destinations.tracked(self.plan.project),
            redact(self.public_url or ""),
            tuple(upload.metadata for upload in self.uploads.values() if upload.metadata is not None),
            (inventory.listed, inventory.tag) if selectors is not None else None,
        )
        updated = update_project(self.store, self.plan.project, files, facts)
        self.done["pages"] += updated.written
        self.views = updated.index.views.get(self.plan.version, {})
        if updated.written:
            self.done["linked"] += [file.filename for file in files]


def _completed(file: IndexFile, uploads: Mapping[str, Upload]) -> IndexFile:
    """Fill in what the repository's page does not have and the file itself does."""
    known = uploads[file.filename].entry
    return replace(
        file,
        sha256=file.sha256 or known.sha256,
        size=file.size if file.size is not None else known.size,
        requires_python=file.requires_python if file.requires_python is not None else known.requires_python,
        upload_time=file.upload_time or known.upload_time,
    )
