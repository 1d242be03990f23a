"""Plan: where every file of a release goes, why, and what the index will list; nothing is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from variant_publish.archive.wheel import Wheel
from variant_publish.config.configuration import parse_size
from variant_publish.config.tables import TABLE, UploadTable
from variant_publish.errors import UsageError
from variant_publish.formats.simple import IndexFile, ProjectIndex
from variant_publish.index.index import hosted_url, merged_texts, refuse_removed
from variant_publish.release.acceptance import refusal_of
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.objects import Conflict

SCHEMA_VERSION = 1
LARGE_TO_S3 = "large-to-s3"
LINK, COPY = "link", "copy"


class Destination(StrEnum):
    """Name the places that a file can go to; for views see `variant_publish.publish.views`."""

    EXTRA_INDEX = "extra-index"
    REPOSITORY = "repository"
    VIEW = "view"


class Action(StrEnum):
    """Return what happens to a file."""

    UPLOAD = "upload"
    SKIP = "skip"
    STAGED = "staged"
    """The file lies at its place already; it is only to be listed."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one file goes and why; `is_listed` says that the extra index lists it already."""

    file: str
    size: int
    sha256: str
    destination: Destination
    reason: str
    action: Action
    is_listed: bool = False

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            "destination": str(self.destination),
            "reason": self.reason,
            "action": str(self.action),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing a release will do; files in the order in which they are sent, sdists last.

    `entries` are the lines that the extra index will have for the files that it holds itself; the address of the
    others is known when the repository shows them. `selectors` are the names of the selector files, `attested` those
    of the files whose attestations are published too.
    """

    project: str
    version: str
    extra_index: str
    repository: str | None
    placements: tuple[Placement, ...]
    entries: tuple[IndexFile, ...]
    selectors: tuple[str, ...]
    selectors_change: bool = False
    attested: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Return whether anything is to be sent, listed or rewritten."""
        return self.selectors_change or any(
            item.action is not Action.SKIP or not item.is_listed for item in self.placements
        )

    def to(self, destination: Destination, *, sdists: bool = False) -> tuple[Placement, ...]:
        """Return the wheels (or the sdists) of one destination."""
        return tuple(
            item
            for item in self.placements
            if item.destination is destination and is_sdist(item.file) is sdists
        )  # fmt: skip

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "schema-version": SCHEMA_VERSION,
            "project": self.project,
            "version": self.version,
            "extra-index": self.extra_index,
            "repository": self.repository,
            "files": [item.table() for item in self.placements],
            "selectors": list(self.selectors),
            "attested": list(self.attested),
            "changes": self.changes,
        }


def is_sdist(filename: str) -> bool:
    """Return whether a file is no wheel."""
    return not filename.endswith(".whl")


def make_plan(
    release: Release,
    upload: UploadTable,
    listed: ProjectIndex | None,
    in_repository: tuple[IndexFile, ...] | None,
    selectors: SelectorFiles,
    *,
    extra_index: str | None = None,
    repository: str | None = None,
    upload_time: str | None = None,
    is_staged: bool = False,
) -> Plan:
    """Decide where each file goes; raise Conflict where a name is taken by other bytes, naming all of them.

    `listed` is what the extra index has of the project (None: nothing), `in_repository` what the repository has (None:
    nobody knows). `extra_index` and `repository` are how people call the two; None takes the configured names. A
    release that `is_staged` lies in the extra index whole and unlisted: what goes to the repository is a copy.
    """
    planner = _Planner(release, upload, listed, in_repository, is_staged)
    placements = tuple(planner.placements())
    if planner.conflicts:
        raise Conflict(
            f"{'; '.join(planner.conflicts)}: the same name, other bytes",
            hint="a published name is never used twice: build these files with a new version or build tag",
        )
    project, version = str(release.project), str(release.version)
    old = listed.selector_texts if listed is not None else {}
    texts = merged_texts(old, project, version, selectors)
    lines = tuple(entries(release, upload_time))
    if listed is not None:
        refuse_removed(extra_index or upload.extra_index, listed, lines)
    hosted = {item.file for item in placements if item.destination is Destination.EXTRA_INDEX}
    return Plan(
        project=project,
        version=version,
        extra_index=extra_index or upload.extra_index,
        repository=(repository or upload.repository_url or upload.repository) if planner.has_repository else None,
        placements=placements,
        entries=tuple(entry for entry in lines if entry.filename in hosted),
        selectors=tuple(sorted(texts.get(version, ()))),
        selectors_change=texts != old,
        attested=tuple(sorted(release.attestations())) if upload.attestations else (),
    )


def entries(release: Release, upload_time: str | None = None) -> Iterator[IndexFile]:
    """Return the page entry that each file of the release has on an index that holds it."""
    for wheel in release.wheels:
        yield IndexFile(
            wheel.filename,
            hosted_url(wheel.filename),
            wheel.sha256,
            wheel.size,
            wheel.metadata.requires_python,
            hashlib.sha256(wheel.info["METADATA"]).hexdigest(),
            upload_time,
        )
    for sdist in release.sdists:
        yield IndexFile(
            sdist.filename, hosted_url(sdist.filename), sdist.sha256, sdist.size, upload_time=upload_time
        )  # fmt: skip


class _Planner:
    """Place the files one by one, and collect what stands in the way."""

    def __init__(
        self,
        release: Release,
        upload: UploadTable,
        listed: ProjectIndex | None,
        in_repository: tuple[IndexFile, ...] | None,
        is_staged: bool,
    ) -> None:
        if upload.split != LARGE_TO_S3:
            raise UsageError(f"{TABLE}.upload.split {upload.split!r} is not a rule", hint=f'write "{LARGE_TO_S3}"')
        self.release = release
        self.upload = upload
        self.is_staged = is_staged
        self.large = parse_size(upload.large, f"{TABLE}.upload.large")
        self.has_repository = (upload.repository or upload.repository_url) is not None
        self.listed = {file.filename: file for file in (listed.files if listed is not None else ())}
        self.in_repository = {file.filename: file for file in in_repository or ()}
        self.knows_repository = in_repository is not None
        self.conflicts: list[str] = []

    def placements(self) -> Iterator[Placement]:
        wheels = [
            self._place(wheel.filename, wheel.size, wheel.sha256, *self._rule(wheel)) for wheel in self.release.wheels
        ]
        yield from self._with_copies(sorted(wheels, key=lambda item: item.destination is Destination.REPOSITORY))
        destination = Destination.REPOSITORY if self.has_repository else Destination.EXTRA_INDEX
        yield from self._with_copies(
            self._place(sdist.filename, sdist.size, sdist.sha256, destination, "source distribution, last")
            for sdist in self.release.sdists
        )

    def _with_copies(self, placements: Iterable[Placement]) -> Iterator[Placement]:
        """Put copies of what goes to the repository on the extra index, where links are not wanted."""
        for item in placements:
            if item.destination is Destination.REPOSITORY and (self.is_staged or self.upload.generic == COPY):
                listed = self.listed.get(item.file)
                is_there = listed is not None and listed.is_hosted
                yield replace(
                    item,
                    destination=Destination.EXTRA_INDEX,
                    reason="a copy of what the repository gets",
                    action=self._action(is_there),
                    is_listed=is_there,
                )
            yield item

    def _action(self, is_there: bool) -> Action:
        """Return what happens to a file of the extra index."""
        if is_there:
            return Action.SKIP
        return Action.STAGED if self.is_staged else Action.UPLOAD

    def _rule(self, wheel: Wheel) -> tuple[Destination, str]:
        if not self.has_repository:
            return Destination.EXTRA_INDEX, "there is no repository"
        if reason := refusal_of(wheel, takes_variants=self.upload.repository_takes_variants):
            return Destination.EXTRA_INDEX, reason
        if wheel.size > self.large:
            return Destination.EXTRA_INDEX, f"it is larger than {self.upload.large}"
        kind = "it is a generic wheel" if wheel.name.dialect is None else f"it is the variant {wheel.name.variant}"
        return Destination.REPOSITORY, f"{kind}, and the repository takes it"

    def _place(self, file: str, size: int, sha256: str, destination: Destination, reason: str) -> Placement:
        listed, there = self.listed.get(file), self.in_repository.get(file)
        for place, entry in (("the extra index", listed), ("the repository", there)):
            # An index without SHA-256 proves nothing; a repository refuses other bytes on its own.
            if entry is not None and entry.sha256 not in ("", sha256):
                self.conflicts.append(f"{file} on {place}")
        if there is not None and not (listed is not None and listed.is_hosted):
            if destination is Destination.EXTRA_INDEX:
                destination, reason = Destination.REPOSITORY, "the repository has it already"
            action = Action.SKIP
        elif destination is Destination.EXTRA_INDEX:
            action = self._action(listed is not None and listed.is_hosted)
        elif there is not None or (listed is not None and not self.knows_repository):
            action = Action.SKIP  # an index that cannot be asked: what the page links was there
        else:
            action = Action.UPLOAD
        return Placement(file, size, sha256, destination, reason, action, listed is not None)
