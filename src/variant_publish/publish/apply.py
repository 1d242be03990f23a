"""Apply a plan: files first, pages after them, the sdist last; the same command again finishes what was cut off."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from variant_publish.config.tables import UploadTable
from variant_publish.formats.provenance import PROVENANCE_SUFFIX
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload, read_index, send, update_project
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.plan import Action, Destination, Placement, Plan, entries, make_plan
from variant_publish.publish.preflight import check_public_url
from variant_publish.publish.repository import Repository
from variant_publish.publish.staging import fetched
from variant_publish.publish.view_apply import PublishedView
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles
from variant_publish.model.url import redact
from variant_publish.store.store import Outcome, Store

SCHEMA_VERSION = 1
DEADLINE_S = 180.0


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: file names sent, found there, listed for the first time; keys of pages written.

    `missing` are files that the repository took and does not show yet: run the command again to list them. `views`
    are what became of the indexes of one variant each.
    """

    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    linked: tuple[str, ...]
    pages: tuple[str, ...]
    missing: tuple[str, ...] = ()
    views: tuple[PublishedView, ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether anything was sent or written."""
        return bool(self.sent or self.pages or any(view.changed for view in self.views))

    @property
    def is_complete(self) -> bool:
        """Return whether the extra index lists every file."""
        return not self.missing

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "schema-version": SCHEMA_VERSION,
            "changed": self.changed,
            "complete": self.is_complete,
            "sent": list(self.sent),
            "skipped": list(self.skipped),
            "linked": list(self.linked),
            "pages": list(self.pages),
            "missing": list(self.missing),
            "views": [view.table() for view in self.views],
        }


def plan_release(
    release: Release,
    upload: UploadTable,
    store: Store,
    repository: Repository | None,
    selectors: SelectorFiles,
    reporter: Reporter = SILENT,
    *,
    is_staged: bool = False,
) -> Plan:
    """Ask both places what they have of the project, and make the plan; reads only."""
    listed = read_index(store, release.project)
    there = repository.existing(release.project) if repository is not None else ()
    if there is None and repository is not None:
        reporter.warn(
            f"{repository.describe()} does not tell which files it has: set upload.repository-index to its simple index"
        )
    return make_plan(
        release,
        upload,
        listed,
        there,
        selectors,
        extra_index=store.describe(),
        repository=repository.describe() if repository is not None else None,
        is_staged=is_staged,
    )


def publish(
    release: Release,
    store: Store,
    repository: Repository | None,
    plan: Plan,
    selectors: SelectorFiles,
    reporter: Reporter = SILENT,
    *,
    deadline_s: float = DEADLINE_S,
    public_url: str | None = None,
) -> Published:
    """Carry out a plan.

    Preflight of both places; files to the extra index; wheels to the repository; master and pages; sdists to the
    repository and their links. A plan without changes sends nothing and only mends pages. Raises VariantPublishError
    at the first file that is refused; what was sent stays, and the same command goes on from there.
    """
    try:
        work = _Work(release, store, repository, plan, selectors, reporter, deadline_s, public_url)
        work.preflight()
        return work.run()
    finally:
        store.close()
        if repository is not None:
            repository.close()


class _Work:
    """Carry out one plan and keep account of it."""

    def __init__(
        self,
        release: Release,
        store: Store,
        repository: Repository | None,
        plan: Plan,
        selectors: SelectorFiles,
        reporter: Reporter,
        deadline_s: float,
        public_url: str | None,
    ) -> None:
        self.release = release
        self.store = store
        self.repository = repository
        self.plan = plan
        self.selectors = selectors
        self.reporter = reporter
        self.deadline_s = deadline_s
        self.public_url = public_url
        self.paths = {wheel.filename: wheel.path for wheel in release.wheels if wheel.summary is None}
        self.paths |= {sdist.filename: sdist.path for sdist in release.sdists if sdist.summary is None}
        self.metadata = {wheel.filename: wheel.info["METADATA"] for wheel in release.wheels}
        self.entries = {entry.filename: self._attested(entry) for entry in entries(release, now())}
        self.attestations = release.attestations() if plan.attested else {}
        self.sent: list[str] = []
        self.skipped: list[str] = []
        self.linked: list[str] = []
        self.pages: list[str] = []
        self.missing: list[str] = []

    def _attested(self, entry: IndexFile) -> IndexFile:
        """Announce the provenance of a file, where its address is known: it must be full and secure (PEP 740)."""
        root = redact(self.public_url or "").rstrip("/")
        if entry.filename not in self.plan.attested or not root.startswith("https://"):
            return entry
        return replace(entry, provenance=f"{root}/{self.plan.project}/{entry.url}{PROVENANCE_SUFFIX}")

    def preflight(self) -> None:
        """Ask both places whether they would take what the plan sends; a plan without changes asks nothing."""
        if self.plan.changes:
            own = [item for item in self.plan.placements if item.destination is Destination.EXTRA_INDEX]
            self.store.preflight(max((item.size for item in own if item.action is Action.UPLOAD), default=0))
            if self.public_url is not None:
                check_public_url(self.store, self.public_url, self.reporter)
        items = (item for item in self.plan.placements if item.destination is Destination.REPOSITORY)
        if names := [item.file for item in items if item.action is Action.UPLOAD]:
            self._repository.preflight([self.paths[name] for name in names if name in self.paths])

    def run(self) -> Published:
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
        self._list([*self._own(hosted), *self._found(links)], self.selectors)
        self._send([item for item in self.plan.to(Destination.REPOSITORY) if item.file in own])
        sdists = self.plan.to(Destination.REPOSITORY, sdists=True)
        self._send(sdists)
        if found := self._found([item for item in sdists if item.file not in own]):
            self._list(found)
        if self.missing:
            self.reporter.warn(
                f"{self._repository.describe()} took {', '.join(self.missing)} and does not show it yet:"
                " run the same command again to complete the extra index"
            )
        return Published(
            tuple(self.sent),
            tuple(self.skipped),
            tuple(self.linked),
            tuple(dict.fromkeys(self.pages)),
            tuple(self.missing),
        )

    @property
    def _repository(self) -> Repository:
        if self.repository is None:
            raise AssertionError("the plan sends to a repository that was not given")
        return self.repository

    def _send(self, placements: Iterable[Placement]) -> None:
        for item in placements:
            if item.action is not Action.UPLOAD:
                self.skipped.append(item.file)
                continue
            entry = self.entries[item.file]
            with self._local(entry) as path, self.reporter.track(item.file, item.size) as advance:
                attestation = self.attestations.get(item.file)
                upload = Upload(self.plan.project, path, entry, self.metadata.get(item.file), attestation)
                if item.destination is Destination.EXTRA_INDEX:
                    outcome = send(self.store, upload, advance)
                else:
                    outcome = self._repository.upload(upload, advance)
            (self.sent if outcome is Outcome.CREATED else self.skipped).append(item.file)

    @contextmanager
    def _local(self, entry: IndexFile) -> Iterator[Path]:
        """Return the file; a staged one, which is not on this machine, is read from the store for as long as needed."""
        if entry.filename in self.paths:
            yield self.paths[entry.filename]
        else:
            with fetched(self.store, self.plan.project, entry, self.reporter) as path:
                yield path

    def _own(self, placements: list[Placement]) -> list[IndexFile]:
        return [self.entries[item.file] for item in placements if not item.is_listed or item.action is not Action.SKIP]

    def _found(self, placements: Sequence[Placement]) -> list[IndexFile]:
        """Return the repository's entries of files that the extra index does not list yet."""
        expected = {item.file: item.sha256 for item in placements if not item.is_listed}
        if not expected:
            return []
        what = "1 file" if len(expected) == 1 else f"{len(expected)} files"
        self.reporter.note(f"waiting until {self._repository.describe()} shows {what}")
        shown = self._repository.listed(self.plan.project, expected, self.deadline_s)
        self.missing += sorted(set(expected) - {file.filename for file in shown})
        return [_completed(file, self.entries) for file in shown]

    def _list(self, files: list[IndexFile], selectors: SelectorFiles | None = None) -> None:
        tracked = self.repository.project_url(self.plan.project) if self.repository is not None else None
        updated = update_project(
            self.store,
            self.plan.project,
            files,
            version=self.plan.version,
            selectors=selectors,
            tracks=(tracked,) if tracked else (),
            public_url=redact(self.public_url or ""),
        )
        self.pages += updated.written
        if updated.written:
            self.linked += [file.filename for file in files]


def _completed(file: IndexFile, own: Mapping[str, IndexFile]) -> IndexFile:
    """Fill in what the repository's page does not tell and the file itself does."""
    known = own[file.filename]
    return replace(
        file,
        sha256=file.sha256 or known.sha256,
        size=file.size if file.size is not None else known.size,
        requires_python=file.requires_python if file.requires_python is not None else known.requires_python,
        upload_time=file.upload_time or known.upload_time,
    )


def now() -> str:
    """Return the time of an upload for index pages: SOURCE_DATE_EPOCH, else the clock (ISO 8601 in UTC)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
