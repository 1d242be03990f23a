"""Withdraw files: yank them, which hides them from new choices, or remove them for good, pages first and files last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.dialects.registry import selector_names
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.provenance import ATTESTATION_SUFFIX, PROVENANCE_SUFFIX
from variant_publish.formats.simple import SELECTORS, STATUSES, IndexFile, ProjectIndex, version_of
from variant_publish.index.index import Updated, change_project, read_index, read_root
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.store.store import Store

BESIDE = (".metadata", PROVENANCE_SUFFIX, ATTESTATION_SUFFIX)
"""What lies beside a file under its name with this ending, and goes where it goes."""


class Pinned(VariantPublishError):
    """Refuse to remove what another release on the same index needs."""


@dataclass(frozen=True, slots=True)
class Removal:
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
    """Return of a project that it is active, archived or deprecated (PEP 792)."""
    if status not in STATUSES:
        raise UsageError(f"{status!r} is no status of a project", hint=f"write one of {', '.join(STATUSES)}")
    name = existing(store, project).name
    return change_project(store, name, lambda index: index.changed(status=status, status_reason=reason))


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

    def change(index: ProjectIndex) -> ProjectIndex:
        texts = {version: item for version, item in index.selector_texts.items() if version not in removal.versions}
        removed = tuple(dict.fromkeys((*index.removed, *removal.names)))
        kept = replace(index, removed=removed).updated(
            (file for file in index.distributions if file.filename not in gone), texts
        )
        return index if removed == index.removed and kept.files == index.files else kept

    updated = change_project(store, removal.project, change)
    for key in _leftovers(store, updated.index):
        store.delete(key)
    return updated


def pins_of(store: Store, project: str, versions: set[str]) -> Iterator[str]:
    """Return the pins of other projects on the same index that need one of the versions, as sentences."""
    wanted = {Version(version) for version in versions}
    root = read_root(store)
    for other in root.names if root is not None else ():
        index = read_index(store, other) if other != project else None
        read: set[str] = set()
        for file in index.distributions if index is not None else ():
            if file.metadata_sha256 is None or not file.is_hosted or file.metadata_sha256 in read:
                continue
            read.add(file.metadata_sha256)  # the variants of a release often share one
            for requirement in _requirements(store, f"{other}/{file.filename}.metadata"):
                if requirement.project == project and _needs(requirement, wanted):
                    yield f"{file.filename} ({requirement})"


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
                hint=f"versions: {', '.join(index.versions) or 'none'}",
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


def _requirements(store: Store, key: str) -> Iterator[TaggedRequirement]:
    stored = store.read(key)
    for value in Metadata.parse(stored.content).requires_dist if stored is not None else ():
        try:
            yield TaggedRequirement.parse(value)
        except UsageError:
            continue  # nothing can be installed by it, so it needs nothing


def _needs(requirement: TaggedRequirement, versions: set[Version]) -> bool:
    exact = any(item.operator in ("==", "===") and "*" not in item.version for item in requirement.plain.specifier)
    return exact and any(requirement.plain.specifier.contains(version, prereleases=True) for version in versions)


def _leftovers(store: Store, index: ProjectIndex) -> list[str]:
    """Return the keys of everything that was removed and still lies there, from this run or one that was cut off."""
    selectors = {
        name
        for version in filter(_version, index.removed)
        for name in selector_names(index.name, version)
        if version not in index.selector_texts
    }
    listed = {file.filename for file in index.files}
    found = []
    for item in store.keys(f"{index.name}/"):
        name = item.key.rpartition("/")[2]
        for ending in BESIDE:
            name = name.removesuffix(ending)
        is_own = item.key.count("/") == 1 or item.key.startswith(f"{index.name}/{SELECTORS}/")
        if is_own and name not in listed and (index.is_removed(name) or name in selectors):
            found.append(item.key)
    return found
