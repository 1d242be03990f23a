"""Explain a view: which wheel an installer takes of it, and of each other wheel why it lost; no input or output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.ranking import admits
from variant_publish.view.view import SHADOWED, View, ViewFile
from variant_publish.view.wish import Wish


class Candidate(msgspec.Struct, frozen=True):
    """One wheel and what became of it: `reason` says why it lost, None for the chosen one.

    `is_for_other_pythons` says that the machine could use it with another Python.
    """

    filename: str
    variant: str
    dialect: Dialect | None
    chosen: bool
    reason: str | None
    is_for_other_pythons: bool = False


class Selection(msgspec.Struct, frozen=True):
    """The outcome: `candidates` are best first, those of newer versions that have no usable wheel last.

    Where no wheel is usable, `selected` is None and `version` is the newest that was looked at. `file` is the index
    entry of the chosen wheel, `listed` its file in the view, `metadata` what it was chosen by, `index` the index that
    it is on.
    """

    version: Version | None
    dialect: Dialect | None
    selected: str | None
    candidates: tuple[Candidate, ...] = ()
    project: str | None = None
    file: IndexFile | None = None
    listed: ViewFile | None = None
    metadata: SelectorFiles = SelectorFiles()
    index: str | None = None

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        listed = self.listed
        return {
            "project": self.project,
            "version": None if self.version is None else str(self.version),
            "dialect": self.dialect and self.dialect.name,
            "selected": self.selected,
            "listed-as": None if listed is None else listed.filename,
            "requires": [] if listed is None else list(listed.requires),
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
    wish: Wish | None = None,
) -> Selection:
    """Choose the best wheel of the newest version that has a usable one, from the view of a machine.

    Pre-releases count only where `version` asks for them or no final release has a usable wheel; a yanked wheel only
    where `version` is one version and nothing else is there, as in pip. Raises VariantPublishError where a release
    that would be taken cannot be evaluated, such as for want of the value of a selector variable.
    """
    wanted = version if version is not None else SpecifierSet()
    wish = wish or Wish()
    wish = replace(wish, locals=wish.locals or any("+" in item.version for item in wanted))
    groups: dict[Version, list[IndexFile]] = {}
    for file in files:
        if (found := version_of(file.filename)) is not None:
            groups.setdefault(Version(Version(found).public), []).append(file)
    first: Selection | None = None
    skipped: list[Candidate] = []
    has_final = False
    for group in _in_order(groups, wanted):
        if has_final and group.is_prerelease:
            break  # a yanked release is a release: pip takes no pre-release in its place
        view = View.of(groups[group], metadata, machine, wish, dialect)
        chosen, is_usable = _explained(view, groups[group], machine, wanted)
        has_final = has_final or (is_usable and not group.is_prerelease and not wanted.prereleases)
        if chosen.selected is not None:
            return replace(chosen, candidates=(*chosen.candidates, *skipped))
        skipped += chosen.candidates
        first = first or (chosen if chosen.candidates else None)
    return replace(first, candidates=tuple(skipped)) if first else Selection(None, dialect, None)


def _explained(
    view: View, files: Sequence[IndexFile], machine: Machine, wanted: SpecifierSet
) -> tuple[Selection, bool]:
    """Return what an installer takes of the view of one release, and whether it has usable wheels, yanked ones too.

    Raises what is wrong with a release that cannot be evaluated.
    """
    if view.problems:
        raise view.problems[max(view.problems)]
    order = {tag: place for place, tag in enumerate(machine.tags)}
    versions = {file.version for file in view.files if file.name is not None}
    candidates = [
        file
        for version in sorted(wanted.filter(versions, prereleases=True), reverse=True)
        for file in view.usable(version, order)
        if _refusal([file], machine) is None
    ]
    yanked = is_pin(wanted) and all(file.source.yanked is not None for file in candidates)
    chosen = next((file for file in candidates if yanked or file.source.yanked is None), None)
    distinct = {file.filename: file for file in files}
    named = wheels_among(distinct[filename] for filename in sorted(distinct))
    wheels = [(file, name) for name, file in named if wanted.contains(name.parsed_version, prereleases=True)]
    losers = tuple(_losers(view, wheels, chosen, machine))
    if chosen is None or chosen.name is None:
        newest = max((name.parsed_version for _, name in wheels), default=None)
        dialect = view.dialects.get(newest) if newest is not None else None
        return Selection(newest, dialect, None, losers, view.project or None), bool(candidates)
    release = chosen.name.parsed_version
    winner = Candidate(chosen.source.filename, chosen.name.variant, chosen.name.dialect, True, None)
    found = Selection(
        release, view.dialects.get(release), chosen.source.filename, (winner, *losers), view.project,
        chosen.source, chosen, view.selectors.get(release, SelectorFiles()),
    )  # fmt: skip
    return found, True


def _in_order(versions: Iterable[Version], wanted: SpecifierSet) -> Iterator[Version]:
    """Return the versions in the order in which pip looks at them: pre-releases last, unless they are asked for."""
    public = SpecifierSet(",".join(str(item).partition("+")[0] for item in wanted))
    ordered = sorted(public.filter(versions, prereleases=True), reverse=True)
    yield from (version for version in ordered if wanted.prereleases or not version.is_prerelease)
    yield from (version for version in ordered if version.is_prerelease and not wanted.prereleases)


def _refusal(files: Sequence[ViewFile], machine: Machine) -> str | None:
    """Return why an installer leaves a wheel alone, whatever its tags are; the view has it once for each build."""
    python = files[0].source.requires_python
    if not _python_fits(python, machine.python_version):
        return f"requires Python {python}, and this is {machine.python_version}"
    misfits = [next((item for item in file.abi if not _is_here(item, machine)), None) for file in files]
    if None in misfits:
        return None
    found = [item for item in misfits if item is not None]
    name = found[0][0]
    built = " or ".join(dict.fromkeys(prefix for other, prefix in found if other == name))
    return f"is built against {name} {built}, and {name} is {machine.abi[name]} here"


def _is_here(item: tuple[str, str], machine: Machine) -> bool:
    return item[0] not in machine.abi or admits((item,), machine.abi)


def _losers(
    view: View, wheels: Iterable[tuple[IndexFile, WheelName]], chosen: ViewFile | None, machine: Machine
) -> Iterator[Candidate]:
    listed: dict[str, list[ViewFile]] = {}
    for one in view.files:
        listed.setdefault(one.source.filename, []).append(one)
    order = {tag: place for place, tag in enumerate(machine.tags)}
    found = []
    for file, name in wheels:
        if chosen is not None and file.filename == chosen.source.filename:
            continue
        seen = listed.get(file.filename) or [ViewFile(str(name.generic()), file, name.parsed_version, name)]
        reason, fits = _reason(view.lost.get(file.filename), seen, machine, chosen)
        place = view.places.get(file.filename, ()) if fits else ()
        best = min((order[tag] for tag in name.tags if tag in order), default=len(order))
        key = (not fits, not place, place, best, -seen[0].build[0] if seen[0].build else 1)
        found.append((key, Candidate(
            file.filename, name.variant, name.dialect, False, reason,
            not _python_fits(file.requires_python, machine.python_version)
            or (machine.tag_set.isdisjoint(name.tags) and _is_on_platform(name, machine)),
        )))  # fmt: skip
    yield from (candidate for _, candidate in sorted(found, key=lambda item: item[0]))


def _reason(lost: str | None, files: Sequence[ViewFile], machine: Machine, chosen: ViewFile | None) -> tuple[str, bool]:
    """Return why a wheel lost, and whether the machine and its Python could use it."""
    file, name = files[0], files[0].name
    assert name is not None  # noqa: S101  (a wheel)
    usable = lost in (None, SHADOWED)
    if file.source.yanked is not None and usable:
        return f"yanked: {file.source.yanked or 'no reason is given'}", False
    if (refused := _refusal(files, machine)) is not None and usable:
        return refused, False
    if machine.tag_set.isdisjoint(name.tags):
        return _tag_reason(name, machine), False
    if lost is not None and lost != SHADOWED:
        return lost, True
    if chosen is None or name.variant != chosen.variant:
        return SHADOWED if chosen is None else f"{SHADOWED}: {chosen.variant}", True
    return f"a better tag or build of the same variant fits: {chosen.source.filename}", True


def _tag_reason(name: WheelName, machine: Machine) -> str:
    if not _is_on_platform(name, machine):
        return f"platform tag {'.'.join(name.platform)} does not fit this machine"
    python = f"{'.'.join(name.plain.python)}-{'.'.join(name.plain.abi)}"
    return f"Python tag {python} does not fit Python {machine.python_version}"


def _is_on_platform(name: WheelName, machine: Machine) -> bool:
    return not machine.platform_set.isdisjoint(name.platform)


def is_pin(wanted: SpecifierSet) -> bool:
    """Return whether a specifier asks for one version, as installers see it."""
    return any(item.operator == "===" or (item.operator == "==" and not item.version.endswith(".*")) for item in wanted)


def _python_fits(requires: str | None, python: str) -> bool:
    try:
        return not requires or SpecifierSet(requires).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # as installers do: an index that cannot be read on this point does not hide a wheel
