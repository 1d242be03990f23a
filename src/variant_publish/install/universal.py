"""A lock for every machine: uv resolves for all platforms, and every wheel of every variant is written down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.archive.wheel import Wheel
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.pylock import ONLY_VARIANTS, Lock, LockedFile, LockedPackage, LockedVariant
from variant_publish.formats.simple import IndexFile
from variant_publish.install.client import Demand, Resolved
from variant_publish.install.locker import true_file
from variant_publish.install.uv import Universal, Uv
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.published import Depth, fetch
from variant_publish.release.selectors import SelectorFiles
from variant_publish.remote.listing import read_project
from variant_publish.serve.loopback import serving
from variant_publish.serve.projects import Projects
from variant_publish.view.from_index import selector_files

_ROUNDS = 20


class _Variants(msgspec.Struct, frozen=True):
    """The variants of one release: its wheels with what each requires, and the files they are chosen by."""

    index: str
    files: SelectorFiles
    generic: tuple[str, ...]
    wheels: Mapping[str, tuple[LockedFile, tuple[str, ...]]]

    def every_requirement(self) -> list[str]:
        """Return the requirements of all wheels together."""
        each = (requirement for _, requires in self.wheels.values() for requirement in requires)
        return list(dict.fromkeys((*self.generic, *each)))


class UniversalLocker:
    """Resolve and look for variants in turn, until every release that has variants is known.

    `projects` are those of a machine that takes generic wheels: what uv sees of the indexes.
    """

    def __init__(self, uv: Uv, projects: Projects, reporter: Reporter = SILENT) -> None:
        self.uv = uv
        self.projects = projects
        self.indexes = projects.indexes
        self.cache = projects.cache
        self.reporter = reporter
        self.known: dict[tuple[NormalizedName, Version], _Variants | None] = {}

    def lock(
        self,
        requirements: Sequence[TaggedRequirement],
        demand: Demand,
        python: str | None = None,
    ) -> Lock:
        """Return the lock. What variants depend on is resolved together, so that one version of it serves all of them.

        Raises UsageError for a requirement on one variant, ClientFailed where uv finds no resolution.
        """
        if tagged := [item for item in requirements if item.tags]:
            raise UsageError(
                f"{tagged[0]} asks for one variant, and a lock for every machine holds all of them",
                hint="leave the tag out, or lock for one machine",
            )
        for _ in range(_ROUNDS):
            with serving(self.projects) as view:
                found = self.uv.resolve_universal(demand, view.url, self._metadata(), python)
            if not self._learn(found):
                roots = [item.project for item in requirements]
                return self._lock(found, roots)
        raise VariantPublishError(
            f"{demand.requirements[0]} does not resolve: the variants of each version ask for another one",
            hint="pin the versions of the packages involved",
        )

    def _metadata(self) -> list[tuple[NormalizedName, Version, list[str]]]:
        return [
            (name, version, variants.every_requirement())
            for (name, version), variants in self.known.items()
            if variants is not None
        ]

    def _learn(self, found: Universal) -> bool:
        """Look for the variants of what was resolved; say whether there were more than before."""
        more = False
        for item, _ in found.packages:
            key = (item.name, item.version)
            if key not in self.known:
                self.known[key] = self._variants_of(item)
                more = more or self.known[key] is not None
        return more

    def _variants_of(self, item: Resolved) -> _Variants | None:
        for index in self.indexes.urls:
            listed = list(_wheels(read_project(index, item.name), item.version))
            if not listed:
                continue
            if all(name.dialect is None for name, _ in listed):
                return None
            files = selector_files(item.name, [index], SpecifierSet(f"=={item.version}"))
            with TemporaryDirectory(prefix="variant-publish-") as folder:
                everything = [file for _, file in listed]
                read = fetch(everything, Path(folder), depth=Depth.OUTLINE, reporter=self.reporter)
            variables = files.selector.variables if files.selector is not None else ()
            if read.unreadable:
                raise read.unreadable[0].error
            requires = {wheel.name: _requires(wheel, variables) for wheel in read.wheels}
            wheels = {
                file.filename: (self._locked(file), requires[name]) for name, file in listed if name.dialect is not None
            }
            generic = next((requires[name] for name, _ in listed if name.dialect is None), ())
            return _Variants(redact(index), files, generic, wheels)
        return None

    def _locked(self, file: IndexFile) -> LockedFile:
        return LockedFile(redact(file.url), file.sha256 or self.cache.fetch(file, self.reporter).sha256)

    def _lock(self, found: Universal, roots: Sequence[str]) -> Lock:
        names = {item.name for item, _ in found.packages}
        packages = [self._package(item, marker, found.requires, names) for item, marker in found.packages]
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
        if missing := [file.url for file in item.files if not file.sha256]:
            raise VariantPublishError(
                f"{redact(missing[0])} is listed without a SHA-256", hint="name an index that lists hashes"
            )
        files = tuple(true_file(file, item, self.projects) for file in item.files)
        variants = self.known.get((item.name, item.version))
        if variants is None:
            own = tuple(sorted(requires.get(item.name, ())))
            return LockedPackage(item.name, str(item.version), files, marker=marker, requires=own)
        wheels = tuple(LockedVariant(file, _names(own, names)) for _, (file, own) in sorted(variants.wheels.items()))
        return LockedPackage(
            item.name, str(item.version), files, None, None, variants.files.variants, marker,
            _names(variants.generic, names), wheels, variants.files.selector, variants.index,
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


def _wheels(files: Iterable[IndexFile], version: Version) -> Iterator[tuple[WheelName, IndexFile]]:
    for file in files:
        try:
            name = WheelName.parse(file.filename)
        except InvalidWheelName:
            continue
        if name.parsed_version == version and file.yanked is None:
            yield name, file


def _requires(wheel: Wheel, variables: Collection[str]) -> tuple[str, ...]:
    """Return Requires-Dist as today's clients read it: a pin of a build counts as one of its version.

    A marker that asks for selector variables holds on some machine, so it counts as holding.
    """
    texts = (with_evaluated_markers(text, variables, lambda *_: True) for text in wheel.metadata.requires_dist)
    return tuple(str(TaggedRequirement.parse(text).plain) for text in texts)


def _names(requirements: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    names = {canonicalize_name(Requirement(text).name) for text in requirements}
    return tuple(sorted(names & set(known)))
