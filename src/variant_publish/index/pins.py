"""Exact pins between the projects of one index: who would break if a release were removed.

Each master has the pins of its own files. A list for each pinned project, written before the master, says which
projects pin it, so nobody reads every project to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packaging.version import Version

from variant_publish.errors import UsageError
from variant_publish.formats.master import ProjectIndex, RootIndex
from variant_publish.formats.metadata import Metadata
from variant_publish.index.masters import change_master, read_index, read_master
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.store.store import Store

PINS = ".variant-publish/pins/"


def exact_pins(metadata: Iterable[bytes]) -> tuple[str, ...]:
    """Return the exact requirements in the METADATA of wheels, as they are written."""
    found = {value for content in metadata for value in Metadata.parse(content).requires_dist}
    return tuple(sorted(value for value in found if (parsed := _parsed(value)) is not None and _is_exact(parsed)))


def with_pins(index: ProjectIndex, version: str, pins: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the pins of an index with those of a version added."""
    result = dict(index.pins)
    for pin in pins:
        result[pin] = tuple(sorted({*result.get(pin, ()), version}, key=Version))
    return result


def enter_pins(store: Store, project: str, known: Iterable[str], pins: Iterable[str]) -> None:
    """Enter a project into the lists of the projects that it pins; `known` are the pins that its master has already."""
    old = {parsed.project for pin in known if (parsed := _parsed(pin)) is not None}
    for pinned in sorted({parsed.project for pin in pins if (parsed := _parsed(pin)) is not None} - old - {project}):

        def change(found: RootIndex) -> RootIndex:
            if project in found.names:
                return found
            return RootIndex(tuple(sorted((*found.names, project))), found.generation + 1)

        change_master(store, pins_key(pinned), RootIndex.parse, RootIndex(), change)


def pins_of(store: Store, project: str, versions: set[str]) -> Iterator[str]:
    """Return the pins of other projects on the same index that need one of the versions, as sentences."""
    wanted = {Version(version) for version in versions}
    pinning, _ = read_master(store, pins_key(project), RootIndex.parse)
    for other in pinning.names if pinning is not None else ():
        index = read_index(store, other)
        for pin, own in index.pins.items() if index is not None else ():
            parsed = _parsed(pin)
            if parsed is not None and parsed.project == project and _is_met(parsed, wanted):
                yield f"{other} {', '.join(own)} ({pin})"


def is_entered(store: Store, project: str, pinned: str) -> bool:
    """Return whether the list of a pinned project has a project."""
    found, _ = read_master(store, pins_key(pinned), RootIndex.parse)
    return found is not None and project in found.names


def pinned_projects(index: ProjectIndex) -> tuple[str, ...]:
    """Return the other projects that the files of an index pin."""
    return tuple(sorted({item.project for pin in index.pins if (item := _parsed(pin)) is not None} - {index.name}))


def pins_key(project: str) -> str:
    """Return the key of the list of who pins a project."""
    return f"{PINS}{project}.json"


def _parsed(text: str) -> TaggedRequirement | None:
    try:
        return TaggedRequirement.parse(text)
    except UsageError:
        return None  # nothing can be installed by it, so it needs nothing


def _is_exact(requirement: TaggedRequirement) -> bool:
    return any(item.operator in ("==", "===") and "*" not in item.version for item in requirement.plain.specifier)


def _is_met(requirement: TaggedRequirement, versions: set[Version]) -> bool:
    return any(requirement.plain.specifier.contains(version, prereleases=True) for version in versions)
