"""A lock for every machine: uv resolves for all platforms, and every wheel of every variant is written down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
from msgspec.structs import replace
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.errors import UsageError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.pylock import ONLY_VARIANTS, Lock, LockedFile, LockedPackage, LockedVariant
from variant_publish.formats.simple import IndexFile
from variant_publish.install.client import ClientFailed, Demand, Resolved
from variant_publish.install.locker import true_file
from variant_publish.install.uv import Uv
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.model.url import redact
from variant_publish.release.selectors import SelectorFiles
from variant_publish.serve.loopback import serving
from variant_publish.serve.projects import Projects, SeenProject, has_variants
from variant_publish.view.view import SHADOWED, View, ViewFile

_AT_ONCE = 16


class EveryVariant(ViewFile, frozen=True):
    """A plain name of a release that has variants: its METADATA is that of all its wheels together."""

    @property
    def is_rewritten(self) -> bool:
        """Return True: the view serves the METADATA."""
        return True

    @property
    def sha256(self) -> str:
        """Return the hash of the source: a client that locks and finds none reads the wheel, not its METADATA."""
        return self.source.sha256


class UniversalProjects(Projects):
    """What every machine together sees: each release under its plain names, with what all its wheels require.

    So one version of a dependency serves all variants, or the client says why none does.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._requires: dict[tuple[NormalizedName, Version], Mapping[WheelName, tuple[str, ...]]] = {}

    def identity(self) -> str:
        """Return a text that no view of one machine has."""
        return f"universal {super().identity()}"

    def _seen(self, index: str, name: NormalizedName, files: tuple[IndexFile, ...]) -> SeenProject:
        seen = super()._seen(index, name, files)
        if seen.address is not None or not has_variants(files):
            return seen
        others = [file for file in seen.view.files if file.name is None]
        found: dict[str, ViewFile] = {}
        for wheel, file in sorted(_wheels(seen.files), key=lambda pair: pair[0].dialect is not None):
            if wheel.dialect is None and seen.view.lost.get(file.filename, SHADOWED) != SHADOWED:
                continue  # a local version, such as the same variant in the view of its own
            plain = str(wheel.generic())
            if plain not in found:
                source = replace(file, sha256=self.cache.sha256(file))
                found[plain] = EveryVariant(plain, source, wheel.parsed_version, wheel)
        selectors = {version: files for version, files in seen.view.selectors.items() if files}
        return replace(seen, view=View(name, (*found.values(), *others), selectors=selectors))

    def metadata(self, file: ViewFile) -> bytes:
        """Return the METADATA of a file with the requirements of every wheel of its release."""
        content = self.cache.metadata(file.source)
        if not isinstance(file, EveryVariant) or file.name is None:
            return content
        metadata = Metadata.parse(content)
        requires = self.requires(file.name.project, file.version).values()
        every = dict.fromkeys(text for texts in requires for text in texts)
        return bytes(metadata.with_requires(remove=metadata.requires_dist).with_requires(add=every))

    def requires(self, project: NormalizedName, version: Version) -> Mapping[WheelName, tuple[str, ...]]:
        """Return what each wheel of a release requires, generic ones first; each METADATA is read once."""
        if (project, version) not in self._requires:
            self._requires[project, version] = self._read_requires(project, version)
        return self._requires[project, version]

    def _read_requires(self, project: NormalizedName, version: Version) -> dict[WheelName, tuple[str, ...]]:
        seen = self.find(project)
        selector = seen.view.selectors.get(version, SelectorFiles()).selector if seen is not None else None
        wheels = {name: file for name, file in _wheels(seen.files if seen else ()) if name.parsed_version == version}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(wheels, pool.map(self.cache.metadata, wheels.values()), strict=True))
        variables = selector.variables if selector is not None else ()
        ordered = sorted(found, key=lambda name: (name.dialect is not None, str(name)))
        return {name: _requires(Metadata.parse(found[name]), variables) for name in ordered}


class UniversalLocker(msgspec.Struct, frozen=True):
    """Let uv resolve for every machine, and write down every wheel of every variant."""

    uv: Uv
    projects: UniversalProjects

    def lock(self, requirements: Sequence[TaggedRequirement], demand: Demand, python: str | None = None) -> Lock:
        """Return the lock. What variants depend on is resolved together, so that one version of it serves all of them.

        Raises UsageError for a requirement on one variant, ClientFailed where uv finds no resolution.
        """
        if tagged := [item for item in requirements if item.tags]:
            raise UsageError(
                f"{tagged[0]} asks for one variant, and a lock for every machine holds all of them",
                hint="leave the tag out, or lock for one machine",
            )
        with serving(self.projects) as view:
            try:
                found = self.uv.resolve_universal(demand, view.url, python)
            except ClientFailed as error:
                if view.problems:
                    raise view.problems[0] from error
                raise
        names = {item.name for item, _ in found.packages}
        packages = [self._package(item, marker, found.requires, names) for item, marker in found.packages]
        roots = [item.project for item in requirements]
        everybody = closure(packages, roots, {})
        marked = [
            package if package.project in everybody else replace(package, marker=_and(package.marker))
            for package in packages
        ]
        ordered = sorted(marked, key=lambda package: (package.project, Version(package.version), package.marker))
        return Lock(tuple(ordered), None, found.requires_python, tuple(dict.fromkeys(roots)))

    def _package(
        self, item: Resolved, marker: str, requires: Mapping[str, Sequence[str]], names: Collection[str]
    ) -> LockedPackage:
        seen = self.projects.find(item.name)
        entries = [file for name, file in _wheels(seen.files if seen is not None else ()) if name.dialect is not None
                   and name.parsed_version == item.version]  # fmt: skip
        if seen is None or not entries:
            files = tuple(true_file(file, item, self.projects) for file in item.files)
            own = tuple(sorted(requires.get(item.name, ())))
            return LockedPackage(item.name, str(item.version), files, marker=marker, requires=own)
        plain = [file for file in item.files if (listed := seen.file(file.name)) is not None
                 and (listed.name is None or listed.name.dialect is None)]  # fmt: skip
        needed = self.projects.requires(item.name, item.version)
        generic = next((texts for name, texts in needed.items() if name.dialect is None), ())
        variants = tuple(
            LockedVariant(LockedFile(redact(file.url), self.projects.cache.sha256(file)),
                          _names(needed[WheelName.parse(file.filename)], names))
            for file in sorted(entries, key=lambda file: file.filename)
        )  # fmt: skip
        described = seen.view.selectors.get(item.version, SelectorFiles())
        return LockedPackage(
            item.name, str(item.version), tuple(true_file(file, item, self.projects) for file in plain), None, None,
            described.variants, marker, _names(generic, names), variants, described.selector, redact(seen.index),
        )  # fmt: skip


def closure(
    packages: Iterable[LockedPackage], roots: Iterable[str], chosen: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """Return the names of what the roots need; `chosen` tells the dependencies of projects with a chosen variant."""
    requires: dict[str, tuple[str, ...]] = {}
    for package in packages:  # one project may be there in several versions, for different environments
        requires[package.project] = (*requires.get(package.project, ()), *package.requires)
    found: set[str] = set()
    left = [canonicalize_name(root) for root in roots]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [canonicalize_name(other) for other in chosen.get(name, requires.get(name, ()))]
    return frozenset(found)


def _and(marker: str) -> str:
    return f"({marker}) and {ONLY_VARIANTS}" if marker else ONLY_VARIANTS


def _wheels(files: Iterable[IndexFile]) -> Iterator[tuple[WheelName, IndexFile]]:
    return ((name, file) for name, file in wheels_among(files) if file.yanked is None)


def _requires(metadata: Metadata, variables: Collection[str]) -> tuple[str, ...]:
    """Return Requires-Dist as today's clients read it: a pin of a build counts as one of its version.

    A marker that asks for selector variables holds on some machine, so it counts as holding.
    """
    texts = (with_evaluated_markers(text, variables, lambda *_: True) for text in metadata.requires_dist)
    return tuple(str(TaggedRequirement.parse(text).plain) for text in texts)


def _names(requirements: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    names = {canonicalize_name(Requirement(text).name) for text in requirements}
    return tuple(sorted(names & set(known)))
