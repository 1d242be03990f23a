"""Choose the wheel of a release that a machine gets, and say of each other wheel why it lost; no input or output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import BuildTag, parse_wheel_filename
from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.simple import IndexFile
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.labels import Labels
from variant_publish.view.tags import Tags

Place = Callable[[WheelName], tuple[Any, ...] | str]
"""Place a wheel among the variants of its release, the smallest key being the best, or say why it has no place."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One wheel and what became of it: `reason` says why it lost, None for the chosen one."""

    filename: str
    variant: str
    dialect: Dialect | None
    chosen: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome: `candidates` are best first, those of newer versions that have no usable wheel last.

    Where no wheel is usable, `selected` is None and `version` is the newest that was looked at. `file` is the index
    entry of the chosen wheel, `metadata` what it was chosen by, `index` the index that it is on.
    """

    version: Version | None
    dialect: Dialect | None
    selected: str | None
    candidates: tuple[Candidate, ...] = ()
    project: str | None = None
    file: IndexFile | None = None
    metadata: SelectorFiles = field(default_factory=SelectorFiles)
    index: str | None = None

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "project": self.project,
            "version": None if self.version is None else str(self.version),
            "dialect": self.dialect and self.dialect.name,
            "selected": self.selected,
            "candidates": [
                {"filename": item.filename, "variant": item.variant,
                 "dialect": item.dialect and item.dialect.name, "chosen": item.chosen, "reason": item.reason}
                for item in self.candidates
            ],
        }  # fmt: skip


def choose(
    files: Sequence[IndexFile],
    metadata: Mapping[Version, SelectorFiles],
    machine: Machine,
    *,
    version: SpecifierSet | None = None,
    dialect: Dialect | None = None,
    tags: TagDemand | None = None,
) -> Selection:
    """Choose the best wheel of the newest version that has a usable one.

    A local version of a release that tells its variants in another way, too, or of which the generic build is asked
    for, is not looked at unless `version` names one: its machine is not told, and it would win on every one.
    Pre-releases count only where `version` asks for them or nothing else is there. Without `dialect` a release in both
    is read as pep825, which today's uv reads; where `tags` are asked for, as the dialect that has them. Raises
    VariantPublishError where a selector variable has no value here, or one that its table does not know.
    """
    wanted = Wanted(version if version is not None else SpecifierSet(), tags or TagDemand())
    wheels = tuple(_wheels(files))
    versions = set(wanted.version.filter({wheel.version for wheel in wheels}))
    aside = _set_aside(wheels, set(metadata), wanted) & versions
    considered = sorted(versions - aside, reverse=True)
    skipped = [
        wheel.lost(f"is a local version, which tells no machine; ask for it as {wheel.name.project}=={wheel.version}")
        for wheel in wheels
        if wheel.version in aside
    ]
    last: Selection | None = None
    for candidate in considered:
        release = [wheel for wheel in wheels if wheel.version == candidate]
        chosen = _choose_of(candidate, release, metadata.get(candidate, SelectorFiles()), machine, wanted, dialect)
        if chosen.selected is not None:
            return replace(chosen, candidates=(*chosen.candidates, *skipped))
        skipped += chosen.candidates
        last = last or chosen
    return replace(last, candidates=tuple(skipped)) if last else Selection(None, dialect, None)


@dataclass(frozen=True, slots=True)
class TagDemand:
    """The extra tags that a wheel must carry (`numpy+pypi`), and those that its index vouches for.

    A label that is the same word counts: one variant of a release is called alike in both dialects. `generic` asks for
    the build that serves everyone, whatever the machine has.
    """

    tags: tuple[str, ...] = ()
    implied: frozenset[str] = frozenset()
    generic: bool = False

    def met_by(self, name: WheelName) -> bool:
        """Return whether a wheel carries the tags, or its index vouches for those that it lacks."""
        return set(self.tags) <= {*name.words, *self.implied} or name.label in (*self.tags, "_".join(self.tags))

    def without(self, name: WheelName, known: Collection[str]) -> WheelName:
        """Return the name without tags that were asked for and that no selector places: asking for them is enough."""
        kept = tuple(tag for tag in name.words if tag in known or tag not in self.tags)
        return name if name.plain_installers_read else name.with_variant(name.dialect, kept)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a requirement asks of a wheel: versions and extra tags."""

    version: SpecifierSet
    demand: TagDemand


@dataclass(frozen=True)
class _Wheel:
    file: IndexFile
    name: WheelName

    @cached_property
    def version(self) -> Version:
        return self.name.parsed_version

    @property
    def build_place(self) -> tuple[int, str]:
        # A higher build number is the better wheel, and none is the lowest (binary distribution format).
        build: BuildTag = parse_wheel_filename(str(self.name.generic()))[2]
        return (-build[0], build[1]) if build else (1, "")

    def tag_place(self, order: Mapping[Tag, int]) -> int:
        return min(order[tag] for tag in self.name.tags if tag in order)

    def lost(self, reason: str) -> Candidate:
        return Candidate(self.file.filename, self.name.variant, self.name.dialect, False, reason)


def _wheels(files: Sequence[IndexFile]) -> Iterator[_Wheel]:
    seen = set()
    for file in files:
        try:
            name = WheelName.parse(file.filename)
        except InvalidWheelName:
            continue  # an sdist, a selector file, or an old egg: nothing that could be chosen
        if file.filename not in seen:
            seen.add(file.filename)
            yield _Wheel(file, name)


def _set_aside(wheels: Sequence[_Wheel], described: Collection[Version], wanted: Wanted) -> set[Version]:
    """Return local versions whose release has better ways to tell variants, or a generic wheel that is asked for."""
    if any("+" in item.version for item in wanted.version):
        return set()
    releases = {wheel.version for wheel in wheels}
    variants = {wheel.version for wheel in wheels if wheel.name.dialect is not None} | set(described)
    return {
        version
        for version in releases
        if version.local
        and version not in variants
        and (public := Version(version.public)) in releases
        and (public in variants or wanted.demand.generic)
    }


def _choose_of(
    version: Version,
    wheels: Sequence[_Wheel],
    files: SelectorFiles,
    machine: Machine,
    wanted: Wanted,
    dialect: Dialect | None,
) -> Selection:
    dialect = dialect or _dialect_of(wheels, files, wanted.demand)
    order = {tag: place for place, tag in enumerate(machine.tags)}
    fitting: list[_Wheel] = []
    lost: list[Candidate] = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.file.filename):
        if (reason := _misfit(wheel, machine, order, wanted, dialect)) is None:
            fitting.append(wheel)
        else:
            lost.append(wheel.lost(reason))
    # Where no wheel fits anyway, no value of this machine is asked for: a missing one would be an error.
    usable, refused = (
        _placed(fitting, _place_of(dialect, files, machine, wanted.demand), order) if fitting else ([], [])
    )
    ranked = [_ranked(wheel, usable[0]) for wheel in usable]
    return Selection(
        version,
        dialect,
        ranked[0].filename if ranked else None,
        (*ranked, *refused, *lost),
        wheels[0].name.project,
        usable[0].file if usable else None,
        files,
    )


def _placed(wheels: Sequence[_Wheel], place: Place, order: Mapping[Tag, int]) -> tuple[list[_Wheel], list[Candidate]]:
    usable, refused = [], []
    for wheel in wheels:
        found = place(wheel.name)
        if isinstance(found, str):
            refused.append(wheel.lost(found))
        else:
            usable.append(((found, wheel.tag_place(order), wheel.build_place), wheel))
    return [wheel for _, wheel in sorted(usable, key=lambda item: item[0])], refused


def _dialect_of(wheels: Sequence[_Wheel], files: SelectorFiles, demand: TagDemand) -> Dialect | None:
    if demand.tags:
        named = {wheel.name.dialect for wheel in wheels if demand.met_by(wheel.name)}
        if len(named) == 1:
            return named.pop()
    if files.variants is not None:
        return PEP825
    if files.selector is not None or any(wheel.name.dialect is PLUS for wheel in wheels):
        return PLUS
    return PEP825 if any(wheel.name.dialect is PEP825 for wheel in wheels) else None


def _misfit(
    wheel: _Wheel, machine: Machine, order: Mapping[Tag, int], wanted: Wanted, dialect: Dialect | None
) -> str | None:
    """Return the reason that has nothing to do with variants, if there is one."""
    own, file = wheel.name.dialect, wheel.file
    if own is not None and own is not dialect:
        return f"is in dialect {own}; installers of dialect {dialect} do not read it"
    if file.yanked is not None and not _pins(wanted.version):
        return f"yanked: {file.yanked or 'no reason is given'}"
    if not _python_fits(file.requires_python, machine.python_version):
        return f"requires Python {file.requires_python}, and this is {machine.python_version}"
    if not any(tag in order for tag in wheel.name.tags):
        return _tag_reason(wheel.name, machine)
    if wanted.demand.generic and not wheel.name.serves_everyone:
        return "is a variant, and the generic build is asked for"
    if not wanted.demand.met_by(wheel.name):
        return f"does not carry {''.join(f'+{tag}' for tag in wanted.demand.tags)}, which is asked for"
    return None


def _tag_reason(name: WheelName, machine: Machine) -> str:
    platforms = {tag.platform for tag in machine.tags}
    if not any(platform in platforms for platform in name.platform):
        return f"platform tag {'.'.join(name.platform)} does not fit this machine"
    python = f"{'.'.join(name.python)}-{'.'.join(name.abi)}"
    return f"Python tag {python} does not fit Python {machine.python_version}"


def _pins(wanted: SpecifierSet) -> bool:
    specifiers = list(wanted)
    return len(specifiers) == 1 and (
        specifiers[0].operator == "===" or (specifiers[0].operator == "==" and not specifiers[0].version.endswith(".*"))
    )


def _python_fits(requires: str | None, python: str) -> bool:
    try:
        return not requires or SpecifierSet(requires).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # as installers do: an index that cannot be read on this point does not hide a wheel


def _ranked(wheel: _Wheel, best: _Wheel) -> Candidate:
    name = wheel.name
    if wheel is best:
        return Candidate(wheel.file.filename, name.variant, name.dialect, True, None)
    if name.variant != best.name.variant:
        return wheel.lost(f"a better variant fits: {best.name.variant}")
    return wheel.lost(f"a better tag or build of the same variant fits: {best.file.filename}")


def _place_of(dialect: Dialect | None, files: SelectorFiles, machine: Machine, demand: TagDemand) -> Place:
    if demand.generic:
        return lambda name: (0,) if name.dialect is not None else (1,)  # null beats the plain wheel
    if dialect is PEP825:
        return Labels(files.variants, machine).place
    if dialect is PLUS and files.selector is not None:
        place = Tags(files.selector, machine).place
        known = {tag for selector in files.selector.selectors.values() for tag in selector.tags}
        return lambda name: place(demand.without(name, known))
    unlisted = "is a variant, and no selector file lists it"
    return lambda name: (0,) if demand.without(name, ()).dialect is None else unlisted
