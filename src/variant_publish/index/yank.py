"""Take files away: yank them, which hides them from new choices, or remove them for good, pages first, files last."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.master import STATUSES, ProjectIndex
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.index.index import Updated, change_project
from variant_publish.index.masters import read_index
from variant_publish.index.pins import pins_of
from variant_publish.store.store import Store


class Pinned(VariantPublishError):
    """Refuse to remove what another release on the same index needs."""


class Removal(msgspec.Struct, frozen=True):
    """What removing would take away, and who on the same index pins it."""

    project: str
    files: tuple[IndexFile, ...]
    versions: tuple[str, ...]
    pins: tuple[str, ...]

    @property
    def size(self) -> int:
        """Return the bytes that the store gets back."""
        return sum(file.size or 0 for file in self.files if file.is_hosted)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the master remembers: whole versions, and single files of others."""
        single = [file.filename for file in self.files if version_of(file.filename) not in self.versions]
        return (*self.versions, *single)


def yank(store: Store, project: str, targets: Sequence[str], reason: str | None) -> Updated:
    """Yank the files that `targets` (versions or file names) name; None as the reason takes a yank back (PEP 592)."""

    def change(index: ProjectIndex) -> ProjectIndex:
        chosen = {file.filename for file in named(index, targets)}
        files = tuple(replace(file, yanked=reason) if file.filename in chosen else file for file in index.files)
        return index.changed(files=files)

    return change_project(store, existing(store, project).name, change)


def set_status(store: Store, project: str, status: str, reason: str = "") -> Updated:
    """Mark a project as active, archived or deprecated (PEP 792)."""
    if status not in STATUSES:
        raise UsageError(f"{status!r} is no status of a project", hint=f"write one of {', '.join(STATUSES)}")
    name, line = existing(store, project).name, " ".join(reason.split())
    return change_project(store, name, lambda index: index.changed(status=status, status_reason=line))


def plan_removal(store: Store, project: str, targets: Sequence[str]) -> Removal:
    """Find what `targets` (versions or file names) name, and who pins it; reads only."""
    index = existing(store, project)
    rest = tuple(target for target in targets if not _is_removed(index, target))
    files = named(index, rest) if rest else ()
    chosen = {file.filename for file in files}
    left = {version_of(file.filename) for file in index.distributions if file.filename not in chosen}
    versions = tuple(dict.fromkeys(v for file in files if (v := version_of(file.filename)) and v not in left))
    affected = {v for file in files if (v := version_of(file.filename))}
    return Removal(index.name, files, versions, tuple(pins_of(store, index.name, affected)) if affected else ())


def remove(store: Store, removal: Removal, *, force: bool = False) -> Updated:
    """Take files from the pages, then from the store; the same call again finishes what was cut off.

    Raises Pinned where another release on the index pins one, unless forced. No name is ever used again.
    """
    if removal.pins and not force:
        raise Pinned(
            f"{removal.project} {', '.join(removal.versions)} is pinned by {'; '.join(removal.pins)}",
            hint="yank it instead, publish releases with other pins, or force it",
        )
    gone = {file.filename for file in removal.files}
    return change_project(store, removal.project, lambda index: index.without(gone, removal.names))


def existing(store: Store, project: str) -> ProjectIndex:
    """Read the master of a project that must be there."""
    index = read_index(store, canonicalize_name(project))
    if index is None:
        raise UsageError(
            f"{store.describe()} has no project {project!r}", hint="see 'variant-publish index list' for what is there"
        )
    return index


def named(index: ProjectIndex, targets: Sequence[str]) -> tuple[IndexFile, ...]:
    """Return wheels and sdists that the targets name, each a version or a file name; raise UsageError for others."""
    found: dict[str, IndexFile] = {}
    for target in targets:
        version = _version(target)
        files = [file for file in index.distributions if file.filename == target]
        files = files or [file for file in index.distributions if version and version_of(file.filename) == version]
        if not files:
            raise UsageError(
                f"{index.name} has no version or file {target!r}",
                hint=f"versions: {', '.join(index.versions[:-9:-1]) or 'none'}, newest first",
            )
        found |= {file.filename: file for file in files}
    return tuple(found.values())


def _is_removed(index: ProjectIndex, target: str) -> bool:
    return index.is_removed(target) or _version(target) in index.removed


def _version(text: str) -> str | None:
    try:
        return str(Version(text))
    except InvalidVersion:
        return None
