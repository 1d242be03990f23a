"""Upload plans: where every file of a release goes, why, and what the index will list; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.config.configuration import parse_size
from variant_publish.config.tables import TABLE, UploadTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.master import ProjectIndex, selector_entry
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.stage_state import StagedFile
from variant_publish.index.index import Upload, missing_files, read_selectors, refuse_removed
from variant_publish.index.masters import read_tagged
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import Destinations
from variant_publish.publish.placement import Destination, Placement, Transfer, is_sdist
from variant_publish.publish.uploads import ReleaseFiles
from variant_publish.publish.views import ViewPlan, check_local_wheels, plan_views
from variant_publish.release.acceptance import refusal_of_name, refusal_of_requirements
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.objects import Conflict

SCHEMA_VERSION = 1


class Inventory(msgspec.Struct, frozen=True):
    """What the destinations have of a project, and what people call them.

    `listed` is None where the extra index has nothing, `in_repository` where the repository cannot be asked,
    `repository` where there is none. `selectors` are the selector files that the extra index has of the version,
    `missing` the files that it lists and has lost; `tag` is that of its master.
    """

    listed: ProjectIndex | None
    in_repository: tuple[IndexFile, ...] | None
    extra_index: str = "the extra index"
    repository: str | None = None
    selectors: SelectorFiles = SelectorFiles()
    missing: frozenset[str] = frozenset()
    tag: str | None = None

    @classmethod
    def of(cls, destinations: Destinations, project: str, version: str) -> Inventory:
        """Ask both destinations."""
        store, repository = destinations.store, destinations.repository
        listed, tag = read_tagged(store, project)
        selectors, missing = read_selectors(store, listed, version), missing_files(store, listed, version)
        found = cls(listed, (), store.describe(), selectors=selectors, missing=missing, tag=tag)
        if repository is None:
            return found
        return replace(found, in_repository=repository.existing(project), repository=repository.describe())


class UploadPlan(msgspec.Struct, frozen=True):
    """What publishing a release will do; placements in the order in which files are sent, sdists last.

    `selectors` are the names of the selector files, `attested` those of the files whose attestations are published
    too. Wheels of dialect local go to `views` alone.
    """

    files: ReleaseFiles
    settings: UploadTable
    inventory: Inventory
    placements: tuple[Placement, ...]
    selectors: tuple[str, ...]
    selectors_change: bool = False
    attested: tuple[str, ...] = ()
    views: tuple[ViewPlan, ...] = ()

    @property
    def project(self) -> str:
        """Return the project."""
        return self.files.project

    @property
    def version(self) -> str:
        """Return the version."""
        return self.files.version

    @property
    def changes(self) -> bool:
        """Return whether anything is to be sent, listed or rewritten."""
        return self.selectors_change or any(
            item.transfer is not Transfer.SKIP or not item.is_listed for item in self.placements
        )

    def to(self, destination: Destination, *, sdists: bool = False) -> tuple[Placement, ...]:
        """Return the wheels (or the sdists) of one destination."""
        return tuple(item for item in self.placements if item.destination is destination and item.is_sdist is sdists)

    def to_repository(self) -> frozenset[StagedFile]:
        """Return the files that are uploaded to the repository."""
        return self._files(
            item for item in self.placements
            if item.destination is Destination.REPOSITORY and item.transfer is Transfer.UPLOAD
        )  # fmt: skip

    def moved(self) -> frozenset[StagedFile]:
        """Return the files that are copied or sent anywhere."""
        return self._files(item for item in self.placements if item.transfer is not Transfer.SKIP)

    def _files(self, placements: Iterable[Placement]) -> frozenset[StagedFile]:
        return frozenset(StagedFile(self.project, item.file) for item in placements)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "schema-version": SCHEMA_VERSION,
            "project": self.project,
            "version": self.version,
            "extra-index": self.inventory.extra_index,
            "repository": self.inventory.repository,
            "files": [item.table() for item in self.placements],
            "selectors": list(self.selectors),
            "attested": list(self.attested),
            "changes": self.changes,
            "views": [view.table() for view in self.views],
        }


def plan_release(
    release: Release, destinations: Destinations, reporter: Reporter = SILENT, *, copies: bool = False
) -> UploadPlan:
    """Ask the destinations what they have, and plan; reads only.

    With `copies` the store makes every file from one that it has, and the extra index is whole by itself.
    """
    settings = destinations.settings
    check_local_wheels(release, settings)
    files = ReleaseFiles.of_release(release, reporter, attest=settings.attestations)
    plan = plan_files(files, destinations, reporter, copies=copies)
    hosted = {item.file for item in plan.placements if item.destination is Destination.EXTRA_INDEX}
    return replace(plan, views=plan_views(release, settings, hosted, plan.inventory.listed, reporter))


def plan_files(
    files: ReleaseFiles, destinations: Destinations, reporter: Reporter = SILENT, *, copies: bool = False
) -> UploadPlan:
    """Ask the destinations what they have, and plan everything but views; reads only."""
    inventory = Inventory.of(destinations, files.project, files.version)
    if inventory.in_repository is None:
        reporter.warn(
            f"{inventory.repository} does not list its files: set upload.repository-index to its simple index"
        )
    return make_plan(files, destinations.settings, inventory, copies=copies)


def make_plan(files: ReleaseFiles, settings: UploadTable, inventory: Inventory, *, copies: bool = False) -> UploadPlan:
    """Decide where each file goes; raise Conflict where a name is taken by other bytes, naming all of them."""
    planner = _Planner(settings, inventory, copies)
    placements = tuple(planner.placements(files.uploads))
    if planner.conflicts:
        raise Conflict(
            f"{'; '.join(planner.conflicts)}: the same name, other bytes",
            hint="a published name is never used twice: build these files with a new version or build tag",
        )
    listed, version = inventory.listed, files.version
    texts = inventory.selectors.merged(files.selector_files).texts(files.project, version)
    known = listed.selector_entries(version) if listed is not None else {}
    if listed is not None:
        refuse_removed(inventory.extra_index, listed, [upload.entry for upload in files.uploads])
    return UploadPlan(
        files,
        settings,
        inventory,
        placements,
        tuple(sorted(texts)),
        any(known.get(name) != selector_entry(name, text) for name, text in texts.items()),
        tuple(sorted(item.entry.filename for item in files.uploads if item.attestation or item.entry.provenance)),
    )


class _Planner:
    """Place the files one by one, and collect conflicts."""

    def __init__(self, settings: UploadTable, inventory: Inventory, copies: bool) -> None:
        self.settings = settings
        self.copies = copies
        self.large = parse_size(settings.large, f"{TABLE}.upload.large")
        self.has_repository = (settings.repository or settings.repository_url) is not None
        listed = inventory.listed
        self.listed = {file.filename: file for file in (listed.files if listed is not None else ())}
        self.places = inventory.extra_index, inventory.repository or ""
        self.missing = inventory.missing
        self.in_repository = {file.filename: file for file in inventory.in_repository or ()}
        self.is_answered = inventory.in_repository is not None
        self.conflicts: list[str] = []

    def placements(self, uploads: tuple[Upload, ...]) -> Iterator[Placement]:
        wheels = [self._place(item.entry, *self._rule(item)) for item in uploads if not is_sdist(item.entry.filename)]
        yield from self._with_copies(sorted(wheels, key=lambda item: item.destination is Destination.REPOSITORY))
        destination = Destination.REPOSITORY if self.has_repository else Destination.EXTRA_INDEX
        yield from self._with_copies(
            self._place(item.entry, destination, "source distribution, last")
            for item in uploads
            if is_sdist(item.entry.filename)
        )

    def _with_copies(self, placements: Iterable[Placement]) -> Iterator[Placement]:
        """Add copies on the extra index of what goes to the repository, where links are not wanted."""
        for item in placements:
            if item.destination is Destination.REPOSITORY and (self.copies or self.settings.generic == "copy"):
                is_there = self._is_hosted(item.file)
                yield replace(
                    item,
                    destination=Destination.EXTRA_INDEX,
                    reason="a copy of what the repository gets",
                    transfer=self._transfer(is_there),
                    is_listed=is_there,
                )
            yield item

    def _is_hosted(self, file: str) -> bool:
        listed = self.listed.get(file)
        return listed is not None and listed.is_hosted and file not in self.missing

    def _transfer(self, is_there: bool) -> Transfer:
        """Return what happens to a file of the extra index."""
        if is_there:
            return Transfer.SKIP
        return Transfer.COPY if self.copies else Transfer.UPLOAD

    def _rule(self, upload: Upload) -> tuple[Destination, str]:
        if not self.has_repository:
            return Destination.EXTRA_INDEX, "there is no repository"
        name = WheelName.parse(upload.entry.filename)
        if reason := refusal_of_name(name, takes_variants=self.settings.repository_takes_variants):
            return Destination.EXTRA_INDEX, reason
        if upload.metadata is not None and (reason := refusal_of_requirements(Metadata.parse(upload.metadata))):
            return Destination.EXTRA_INDEX, reason
        if (upload.entry.size or 0) > self.large:
            return Destination.EXTRA_INDEX, f"it is larger than {self.settings.large}"
        kind = "it is a generic wheel" if name.dialect is None else f"it is the variant {name.variant}"
        return Destination.REPOSITORY, f"{kind}, and the repository takes it"

    def _place(self, entry: IndexFile, destination: Destination, reason: str) -> Placement:
        file = entry.filename
        listed, there = self.listed.get(file), self.in_repository.get(file)
        for place, known in ((self.places[0], listed), (self.places[1], there)):
            # An index without SHA-256 proves nothing; a repository refuses other bytes on its own.
            if known is not None and known.sha256 not in ("", entry.sha256):
                self.conflicts.append(f"{file} on {place}")
        if there is not None and not self._is_hosted(file):
            if destination is Destination.EXTRA_INDEX:
                destination, reason = Destination.REPOSITORY, "the repository has it already"
            transfer = Transfer.SKIP
        elif destination is Destination.EXTRA_INDEX:
            transfer = self._transfer(self._is_hosted(file))
        elif there is not None or (listed is not None and not self.is_answered):
            transfer = Transfer.SKIP  # an index that cannot be asked: what the page links was there
        else:
            transfer = Transfer.UPLOAD
        return Placement.of(entry, destination, reason, transfer, listed is not None)
