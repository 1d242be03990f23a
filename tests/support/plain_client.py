"""Plain installers and a slow oracle, for what the view is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.ordering import Ranked, Supported, rank
from variant_publish.view.view import ViewFile


def interpreter_tags(minor: int, platforms: Sequence[str], *, threaded: bool = False) -> tuple[Tag, ...]:
    """Return the tags of CPython, as packaging orders them."""
    abi = f"cp3{minor}{'t' if threaded else ''}"
    return (
        *cpython_tags((3, minor), [abi], platforms),
        *compatible_tags((3, minor), f"cp3{minor}", platforms),
    )


def plain_pick(
    files: Iterable[ViewFile], tags: Sequence[Tag], python: str, installed: Mapping[str, str] | None = None
) -> ViewFile | None:
    """Return what pip takes of a page: newest version, best tag, highest build; no variant is looked at."""
    order = {tag: place for place, tag in enumerate(tags)}
    found = []
    for file in files:
        if not file.filename.endswith(".whl"):
            continue
        _, version, build, own = parse_wheel_filename(file.filename)
        place = min((order[tag] for tag in own if tag in order), default=None)
        fits = SpecifierSet(file.source.requires_python or "").contains(python, prereleases=True)
        if place is None or not fits or not all(_holds(Requirement(text), installed or {}) for text in file.requires):
            continue
        found.append((file.source.yanked is None, version, -place, build, file))
    return max(found, key=lambda item: item[:4])[-1] if found else None


def best_wheel(
    files: Iterable[IndexFile], metadata: VariantsMetadata, supported: Supported, tags: Sequence[Tag], python: str
) -> tuple[str, ...]:
    """Return the wheels, best variant first and then best tag and build, that PEP 825 allows; of one release."""
    order = {tag: place for place, tag in enumerate(tags)}
    found = []
    for file in files:
        name = WheelName.parse(file.filename)
        place = min((order[tag] for tag in name.tags if tag in order), default=None)
        if place is None or not SpecifierSet(file.requires_python or "").contains(python, prereleases=True):
            continue
        key: tuple[object, ...] = (2,)
        if name.dialect is not None:
            ranked = rank(name.label, metadata.variants[name.label], metadata.namespaces, supported)
            if not isinstance(ranked, Ranked):
                continue
            key = (0, ranked.key) if name.label != "null" else (1,)
        build = parse_wheel_filename(str(name.generic()))[2]
        found.append(((file.yanked is not None, key, place, [-number for number in build[:1]] or [1]), file.filename))
    return tuple(name for _, name in sorted(found))


def _holds(requirement: Requirement, installed: Mapping[str, str]) -> bool:
    version = installed.get(requirement.name)
    return version is not None and requirement.specifier.contains(Version(version), prereleases=True)
