"""The released versions of a dependency that a wheel loads with, and what bounds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.archive.wheel import DescribedWheel, WholeWheel
from variant_publish.binary.linkage import Linkage
from variant_publish.binary.loading import Loading, lacking
from variant_publish.formats.variants_json import ABI_DEPENDENCY
from variant_publish.model.variant import Property
from variant_publish.release.dependencies import Dependencies


class AbiRange(msgspec.Struct, frozen=True):
    """The oldest and newest release that a wheel loads with; both are None where it loads with none that was tried.

    `tried` are the releases whose symbols were read: between two that load, all are taken to. `built_against` is what
    the wheel requires exactly, or has as its property.
    """

    project: str
    oldest: Version | None
    newest: Version | None
    tried: Mapping[Version, Loading]
    built_against: Version | None = None

    @classmethod
    def of(cls, wheel: WholeWheel, project: str, dependencies: Dependencies) -> Self:
        """Look for the range, from the release that the wheel was built against, or the newest that it allows.

        Raises IndexUnavailable, or VariantPublishError where a wheel cannot be read.
        """
        specifier, built = built_against(wheel, project)
        releases = dependencies.releases(project, SpecifierSet())
        found = {
            version: file for version, files in releases.items() if (file := dependencies.wheel_for(wheel.name, files))
        }
        own, tried, versions = Linkage.read(wheel.path), dict[Version, Loading](), sorted(found)

        def loads(index: int) -> bool:
            version = versions[index]
            if version not in tried:
                tried[version] = dependencies.load(wheel.name, own, found[version])
            return tried[version].loads

        allowed = [index for index, version in enumerate(versions) if specifier.contains(version, prereleases=True)]
        start = next((index for index in reversed(allowed or range(len(versions))) if loads(index)), None)
        if start is None:
            return cls(project, None, None, dict(sorted(tried.items())), built)
        first, last = _edge(start, -1, len(versions), loads), _edge(start, 1, len(versions), loads)
        return cls(project, versions[first], versions[last], dict(sorted(tried.items())), built)

    @property
    def older(self) -> tuple[Version, Loading] | None:
        """Return the newest release below the range that was tried, and what it lacks."""
        found = [item for item in self.tried.items() if self.oldest is None or item[0] < self.oldest]
        return found[-1] if found else None

    @property
    def newer(self) -> tuple[Version, Loading] | None:
        """Return the oldest release above the range that was tried, and what it lacks."""
        return next((item for item in self.tried.items() if self.newest is not None and item[0] > self.newest), None)

    @property
    def proposed(self) -> Property | None:
        """Return the property to write: what it was built against, or the one minor version that it loads with."""
        if self.oldest is None or self.newest is None:
            return None
        built = self.built_against
        if built is None and self.oldest.release[:2] == self.newest.release[:2] and self.older and self.newer:
            built = self.newest
        if built is None or not self.oldest.release[:2] <= built.release[:2] <= self.newest.release[:2]:
            return None
        return abi_property(self.project, built)

    def __str__(self) -> str:
        if self.oldest is None:
            return f"loads with no release of {self.project} that was tried"
        return f"loads with {self.project} {self.oldest}" + ("" if self.oldest == self.newest else f" to {self.newest}")

    @property
    def bounds(self) -> tuple[str, ...]:
        """Return a sentence for each side that is bounded."""
        return tuple(
            lacking(loading, f"{self.project} {version}")
            for version, loading in filter(None, (self.older, self.newer))
            if loading.missing or loading.unknown
        )

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "dependency": self.project,
            "oldest": None if self.oldest is None else str(self.oldest),
            "newest": None if self.newest is None else str(self.newest),
            "built-against": None if self.built_against is None else str(self.built_against),
            "property": None if self.proposed is None else str(self.proposed),
            "tried": [
                {
                    "version": str(version),
                    "loads": loading.loads,
                    "symbols": loading.found,
                    "missing": [one.symbol or one.library for one in loading.missing],
                    "unknown": [one.symbol or one.library for one in loading.unknown],
                }
                for version, loading in self.tried.items()
            ],
        }


def _edge(start: int, step: int, count: int, loads: Callable[[int], bool]) -> int:
    """Return the last place from `start` on that loads, by steps that double and then halve."""
    good, stride = start, step
    while 0 <= good + stride < count and loads(good + stride):
        good, stride = good + stride, 2 * stride
    while stride:
        if 0 <= good + stride < count and loads(good + stride):
            good += stride
        stride = int(stride / 2)
    return good


def built_against(wheel: DescribedWheel, project: str) -> tuple[SpecifierSet, Version | None]:
    """Return what a wheel requires of a project, and the version it was built against, if it says so exactly."""
    for text in (*(str(pin.plain) for pin in wheel.pins), *wheel.metadata.requires_dist):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == project and requirement.specifier:
            exact = [one.version.removesuffix(".*") for one in requirement.specifier if one.operator == "=="]
            return requirement.specifier, Version(exact[0]) if exact else None
    return SpecifierSet(), None


def abi_property(project: str, version: Version) -> Property:
    """Return the property of a wheel that was built against a release."""
    return Property(ABI_DEPENDENCY, project.replace("-", "_"), ".".join(map(str, version.release[:2])))
