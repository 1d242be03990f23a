"""What one machine sees of a project on an index: plain files without variants; no input or output."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import msgspec
from packaging.tags import Tag
from packaging.utils import BuildTag, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import dialect_of_file
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.ranking import Abi, Ranking, admits, dialect_that_counts
from variant_publish.view.shadows import Offer, settled
from variant_publish.view.wish import Wish

_MANY = 300_000
"""Wheels times what they are built against, of one release."""

SHADOWED = "a better variant fits"
"""Why a wheel is not in the view that the machine could use: it has a better one for every interpreter."""


class ViewFile(msgspec.Struct, frozen=True, dict=True):
    """One plain file of a view: `filename` is its name there, `source` the entry of the index that it stands for.

    `name` is the parsed name of the source, None for what is no wheel. `abi` is what the build was made against, if
    that is a part of the version here.
    """

    filename: str
    source: IndexFile
    version: Version
    name: WheelName | None = None
    abi: Abi = ()

    @property
    def requires(self) -> tuple[str, ...]:
        """Return the requirements that the view adds: on the versions that the build was made against."""
        return tuple(f"{canonicalize_name(name)}=={prefix}.*" for name, prefix in self.abi)

    @property
    def is_rewritten(self) -> bool:
        """Return whether the bytes differ from those of the source: another version, or a name with extra tags."""
        return self.name is not None and (bool(self.abi) or not self.name.plain_installers_read)

    @property
    def sha256(self) -> str:
        """Return the hash that the view lists; "" where the wheel is made when it is asked for."""
        return "" if self.is_rewritten else self.source.sha256

    @property
    def variant(self) -> str | None:
        """Return the variant as people call it; None for what is no wheel."""
        return None if self.name is None else self.name.variant

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Return the expanded tags of the name in the view."""
        return frozenset() if self.name is None else WheelName.parse(self.filename).tags

    @cached_property
    def build(self) -> BuildTag:
        """Return the build tag, as installers compare it."""
        return parse_wheel_filename(self.filename)[2] if self.name is not None else ()


class View(msgspec.Struct, frozen=True):
    """The files of a project that one machine sees, each name once, and why each other wheel is not among them.

    `problems` are the releases that cannot be evaluated here, such as for want of the value of a selector variable:
    nothing of them is seen. `selectors` and `dialects` are those of the releases that have variants, `places` the order
    of what this machine could use of one release, the smallest being the best.
    """

    project: str
    files: tuple[ViewFile, ...] = ()
    lost: Mapping[str, str] = {}
    problems: Mapping[Version, VariantPublishError] = {}
    selectors: Mapping[Version, SelectorFiles] = {}
    dialects: Mapping[Version, Dialect | None] = {}
    places: Mapping[str, tuple[Any, ...]] = {}

    @classmethod
    def of(
        cls,
        files: Sequence[IndexFile],
        selectors: Mapping[Version, SelectorFiles],
        machine: Machine,
        wish: Wish = Wish(),  # noqa: B008  (a value)
        dialect: Dialect | None = None,
    ) -> Self:
        """Return what a machine sees of a project's page.

        Of each release, for every interpreter and platform, the best variant is left under its plain name. Builds that
        differ by the ABI of a dependency become local versions that require what they were built against. Without
        `dialect` a release that is in two is read as pep825, which today's uv reads.
        """
        releases: dict[Version, list[tuple[IndexFile, WheelName]]] = {}
        others: list[ViewFile] = []
        for file in {file.filename: file for file in reversed(files)}.values():
            if dialect_of_file(file.filename) is not None:
                continue
            if (name := WheelName.find(file.filename)) is not None:
                releases.setdefault(name.parsed_version, []).append((file, name))
            elif (text := version_of(file.filename)) is not None and not wish.tags:
                others.append(ViewFile(file.filename, file, Version(text)))
        found = _Found(machine, wish, dialect)
        aside = _set_aside(releases, set(selectors), wish)
        for version, wheels in releases.items():
            if version in aside:
                asked = f"{wheels[0][1].project}=={version}"
                found.lose(wheels, f"is a local version, which says nothing of machines; ask for it as {asked}")
            else:
                found.add(version, wheels, selectors)
        project = next((name.project for wheels in releases.values() for _, name in wheels), "")
        ordered = sorted([*found.files, *others], key=lambda file: (file.version, file.filename))
        return cls(project, tuple(ordered), found.lost, found.problems, found.selectors, found.dialects, found.places)

    def usable(self, version: Version, tags: Mapping[Tag, int]) -> list[ViewFile]:
        """Return the wheels of a version that an interpreter with these tags can use, best first, as installers do."""
        fitting = [file for file in self.files if file.version == version and not file.tags.isdisjoint(tags)]
        # A higher build number is the better wheel, and none is the lowest (binary distribution format).
        fitting.sort(key=lambda file: file.build, reverse=True)
        return sorted(fitting, key=lambda file: min(tags[tag] for tag in file.tags if tag in tags))


class _Found:
    """Gather the files of the view, release by release."""

    def __init__(self, machine: Machine, wish: Wish, dialect: Dialect | None) -> None:
        self.machine, self.wish, self.dialect = machine, wish, dialect
        self.files: list[ViewFile] = []
        self.lost: dict[str, str] = {}
        self.problems: dict[Version, VariantPublishError] = {}
        self.selectors: dict[Version, SelectorFiles] = {}
        self.dialects: dict[Version, Dialect | None] = {}
        self.places: dict[str, tuple[Any, ...]] = {}

    def lose(self, wheels: Iterable[tuple[IndexFile, WheelName]], reason: str) -> None:
        self.lost.update((file.filename, reason) for file, _ in wheels)

    def add(
        self,
        version: Version,
        wheels: Sequence[tuple[IndexFile, WheelName]],
        selectors: Mapping[Version, SelectorFiles],
    ) -> None:
        """Add the files of one release; a release without variants stays as it is."""
        if not self.wish.tags and version not in selectors and all(name.dialect is None for _, name in wheels):
            self.files += (ViewFile(file.filename, file, version, name) for file, name in wheels)
            return
        try:
            self._choose(version, wheels, selectors.get(version, SelectorFiles()))
        except VariantPublishError as error:
            self.problems[version] = error
            self.lose(wheels, error.message)

    def _choose(self, version: Version, wheels: Sequence[tuple[IndexFile, WheelName]], files: SelectorFiles) -> None:
        dialect = self.dialect or dialect_that_counts((name for _, name in wheels), files, self.wish)
        ranking = Ranking(dialect, files, self.machine, self.wish)
        self.selectors[version], self.dialects[version] = files, dialect
        admitted: dict[WheelName, tuple[IndexFile, tuple[Abi, ...]]] = {}
        for file, name in sorted(wheels, key=lambda item: item[0].filename):
            if (reason := self._misfit(name, dialect, ranking)) is not None:
                self.lost[file.filename] = reason
            else:
                admitted[name] = (file, ranking.builds(name))
        combinations = sorted({abi for _, builds in admitted.values() for abi in builds})
        numeric = _has_wide_numbers(combinations)
        if len(combinations) * len(admitted) > _MANY:
            raise VariantPublishError(
                f"the {len(admitted):,} wheels of {wheels[0][1].project} {version} are built against"
                f" {len(combinations):,} combinations of dependencies, too many to be compared",
                hint="tell whoever publishes it, or ask for another version",
            )
        common = Counter(key for _, builds in admitted.values() for key in {key for abi in builds for key, _ in abi})
        found: dict[str, ViewFile] = {}
        for abi in combinations:
            # What most builds have comes first, so that one more dependency makes a newer version.
            local = _local(sorted(abi, key=lambda item: (-common[item[0]], item)), dotted=numeric)
            target = Version(_with_local(version, local)) if local else version
            for offer in settled(self._offers(abi, admitted, ranking)):
                for filename in _names(offer, local):
                    found.setdefault(filename, ViewFile(filename, admitted[offer.name][0], target, offer.name, abi))
        self.files += found.values()
        for file, _ in admitted.values():
            self.lost.setdefault(file.filename, SHADOWED)
        for seen in found.values():
            self.lost.pop(seen.source.filename, None)

    def _offers(
        self, abi: Abi, admitted: Mapping[WheelName, tuple[IndexFile, tuple[Abi, ...]]], ranking: Ranking
    ) -> list[Offer]:
        place, versions = ranking.place(abi), dict(abi)
        offers = []
        for name, (file, builds) in admitted.items():
            resident = abi in builds
            if not resident and not any(admits(build, versions) for build in builds):
                continue
            found = place(name)
            if isinstance(found, str):
                self.lost.setdefault(file.filename, found)
                continue
            offers.append(Offer(name, (file.yanked is not None, *found), file.requires_python, not resident))
            if resident:
                self.places[file.filename] = min(found, self.places.get(file.filename, found))
        return offers

    def _misfit(self, name: WheelName, dialect: Dialect | None, ranking: Ranking) -> str | None:
        own = name.dialect
        if own is not None and own is not dialect:
            return f"is in dialect {own}; installers of dialect {dialect} do not read it"
        if self.wish.generic and not ranking.serves_all_hardware(name):
            return "is a variant, and the generic build is asked for"
        if not self.wish.met_by(name):
            return f"does not carry {''.join(f'+{tag}' for tag in self.wish.tags)}, which is asked for"
        return None


def _set_aside(
    releases: Mapping[Version, Sequence[tuple[IndexFile, WheelName]]], described: Collection[Version], wish: Wish
) -> set[Version]:
    """Return local versions of a release that has variants in another dialect, or a generic wheel that is wanted."""
    if wish.locals:
        return set()
    variants = {
        version for version, wheels in releases.items() if any(name.dialect is not None for _, name in wheels)
    } | {*described}
    return {
        version
        for version in releases
        if version.local
        and version not in variants
        and (public := Version(version.public)) in releases
        and (public in variants or wish.generic)
    }


def _has_wide_numbers(combinations: Iterable[Abi]) -> bool:
    """Return whether `torch9` and `torch10` would be compared as text in a local version."""
    widths: dict[str, set[int]] = {}
    for abi in combinations:
        for name, prefix in abi:
            widths.setdefault(name, set()).add(len(prefix.partition(".")[0]))
    return any(len(found) > 1 for found in widths.values())


def _local(abi: Iterable[tuple[str, str]], *, dotted: bool) -> str:
    return ".".join(f"{name}{'.' if dotted else ''}{prefix}" for name, prefix in abi)


def _with_local(version: Version, local: str) -> str:
    return f"{version}{'.' if version.local else '+'}{re.sub(r'[._-]+', '.', local)}"


def _names(offer: Offer, local: str) -> Iterator[str]:
    """Return the names under which a wheel is listed: one for each set of tags that one name can have."""
    if not offer.listed:
        return
    plain = offer.name.generic()
    if local:
        plain = plain.with_parts(version=_with_local(plain.parsed_version, local))
    if offer.listed == offer.name.tags:
        yield str(plain)
        return
    platforms: dict[tuple[str, str], tuple[str, ...]] = {}
    for tag in sorted(offer.listed, key=str):
        python = (tag.interpreter, tag.abi)
        platforms[python] = (*platforms.get(python, ()), tag.platform)
    groups: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
    for (interpreter, abi), found in platforms.items():
        groups[abi, found] = (*groups.get((abi, found), ()), interpreter)
    for (abi, found), interpreters in groups.items():
        yield str(plain.with_parts(python=interpreters, abi=(abi,), platform=found))
