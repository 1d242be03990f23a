"""Rules 8xx: projects that belong together are there together, in one matrix and in the same variants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from variant_publish.check.engine.family import Column, Family, matches
from variant_publish.check.engine.rule import FamilyRule, Outcome, Severity, some
from variant_publish.check.rules.links import Links
from variant_publish.config.tables import TABLE, FamilySkip
from variant_publish.model.matrix import Cell
from variant_publish.model.variant import GENERIC
from variant_publish.release.release import Release

_SKIP = f"or say why not: {TABLE}.family.skip with a project and a reason"


class MembersThere(FamilyRule):
    """Prove that every member of the family was checked, in one version.

    What was not named cannot be compared: a family of which one project was forgotten looks whole.
    """

    id = "VP801"
    severity = Severity.WARNING
    hint = "name one release of each project"

    def check(self, family: Family | None) -> Iterator[Outcome]:
        """Yield an outcome for each member, also where the family is not whole."""
        if family is None:
            yield from super().check(family)
            return
        for name in family.names:
            versions = sorted(str(member.version) for member in family.members if member.project == name)
            if not versions:
                yield Outcome.unknown(
                    f"{name} is of the family and was not checked",
                    f"name it too: a folder with its wheels, or {name}==VERSION",
                )
            else:
                text = f"{name} is there in {len(versions)} versions: {', '.join(versions)}"
                yield self.judged(len(versions) > 1, text)


class SameVersions(FamilyRule):
    """Prove that members that do not require each other have the same version.

    cupy-cuda12x and cupy-cuda13x are one code base: a version that one of them lacks was forgotten, or is still being
    uploaded. Members that require each other, such as torchvision and torch, have versions of their own: VP806.
    """

    id = "VP802"
    severity = Severity.WARNING
    hint = "release them together, or name the releases that belong together"

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each group of members that require each other, but for the first."""
        first, *others = _groups(family)
        if not others:
            yield Outcome.skipped("all members require each other")
            return
        for group in others:
            yield self.judged(
                {member.version for member in group} != {member.version for member in first},
                f"{_versions(group)} and {_versions(first)} have other versions, and do not require each other",
            )


class SamePlatforms(FamilyRule):
    """Report platforms that one member has wheels for and another has not, in the same variant.

    That is often on purpose (there is no CPU build where the other one is that already), so it is no warning.
    """

    id = "VP803"
    severity = Severity.INFO
    hint = f"build them, {_SKIP}"

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each column."""
        for column in family.columns:
            absent: dict[str, list[str]] = {}
            yield from _lacking(family, column, absent, of_platforms=True)
            if absent:
                rows = [(python, platform) for platform, pythons in absent.items() for python in pythons]
                yield self.failed(
                    f"{column} has no wheels for {some(absent)}: {_who_has(family, column, rows)}",
                    cell=Cell(*rows[0], str(column)),
                )
            elif family.siblings(column):
                yield Outcome.passed()


class NoHolesAcross(FamilyRule):
    """Prove that on a platform that members share, in the same variant, all of them have wheels for the same Pythons.

    Whoever moves from one member to the other, or installs both, finds the sdist there, or nothing.
    """

    id = "VP804"
    severity = Severity.WARNING
    hint = f"build it, {_SKIP}"

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield a failure for each column and platform with holes, else a pass for each filled cell."""
        for column in family.columns:
            holes: dict[str, list[str]] = {}
            yield from _lacking(family, column, holes, of_platforms=False)
            for platform, pythons in holes.items():
                yield self.failed(
                    f"{column} has no wheel for {some(pythons, 6)} on {platform}:"
                    f" {_who_has(family, column, [(python, platform) for python in pythons])}",
                    cell=Cell(pythons[0], platform, str(column)),
                )
            if family.siblings(column):
                yield from (Outcome.passed() for row in family.rows if column.files_for(*row))


class SameVariants(FamilyRule):
    """Prove that every member has the variants that another one has.

    A user of torch in CUDA 12.8 needs torchvision in CUDA 12.8; without it an installer takes the generic wheel, which
    is of another build, or finds nothing.
    """

    id = "VP805"
    severity = Severity.WARNING
    hint = f"build it, {_SKIP}"

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each member."""
        if all(column.variant == GENERIC for column in family.columns):
            yield Outcome.skipped("no member has variants")
            return
        for member in family.members:
            lacking = family.lacking(member)
            left = [variant for variant in lacking if not any(_skips(skip, member, variant) for skip in family.skips)]
            yield from (Outcome.skipped(f"{member.project} {variant}") for variant in lacking if variant not in left)
            others = [str(column) for column in family.columns if column.variant in left]
            yield self.judged(
                left, f"{member.project} has no variant {some(map(repr, left))}: there are {some(others)}"
            )


class LiveFamilySkips(FamilyRule):
    """Prove that every declared skip of the family leaves out something that siblings have.

    A skip that leaves out nothing is a typing error or has outlived its reason, and the next one like it hides a hole.
    """

    id = "VP808"
    severity = Severity.WARNING
    hint = "correct its project, python, platform or variant, or take it out"

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each skip."""
        if not family.skips:
            yield Outcome.skipped("no skips are declared for the family")
        for number, skip in enumerate(family.skips):
            cells = any(matches(skip, column, *row) for column in family.columns for row in family.wanted(column))
            variants = any(_skips(skip, member, one) for member in family.members for one in family.lacking(member))
            keys = ", ".join(filter(None, (skip.project, skip.python, skip.platform, skip.variant))) or "everything"
            text = f"{TABLE}.family.skip[{number}] ({keys}: {skip.reason}) leaves out nothing that a sibling has"
            yield self.judged(not cells and not variants, text)


def _lacking(family: Family, column: Column, found: dict[str, list[str]], *, of_platforms: bool) -> Iterator[Outcome]:
    """Gather by platform the Pythons that siblings have more, on platforms that it lacks or others; yield the skips."""
    if not family.siblings(column):
        yield Outcome.skipped(f"no other member has variant {column.variant!r}: VP805 looks at it")
        return
    for python, platform in family.wanted(column):
        if column.has_platform(platform) is of_platforms:
            continue
        if skip := family.skip_of(column, python, platform):
            yield Outcome.skipped(f"{column}, {python}, {platform}: {skip.reason}")
        else:
            found.setdefault(platform, []).append(python)


def _skips(skip: FamilySkip, member: Release, variant: str) -> bool:
    """Return whether a skip leaves out a whole variant: one of a Python or platform leaves the others."""
    if skip.variant is None or skip.python is not None or skip.platform is not None:
        return False
    return matches(skip, Column(member, variant, ()), "", "")


def _groups(family: Family) -> list[list[Release]]:
    """Return the members in groups that require each other, directly or by way of others, in their order."""
    groups: list[list[Release]] = []
    for member in family.members:
        near = {name for name in family.names if Links(member, family).to(name)}
        touching = [
            group
            for group in groups
            if any(other.project in near or Links(other, family).to(member.project) for other in group)
        ]
        joined = [other for group in touching for other in group] + [member]
        groups = [group for group in groups if group not in touching] + [joined]
    return groups


def _versions(group: Iterable[Release]) -> str:
    return ", ".join(f"{member.project} {member.version}" for member in group)


def _who_has(family: Family, column: Column, rows: Iterable[tuple[str, str]]) -> str:
    """Return which siblings have wheels for some of the rows (python, platform)."""
    rows = list(rows)
    names = [str(other) for other in family.siblings(column) if any(other.claims(*row) for row in rows)]
    return f"{some(names)} {'have' if len(names) > 1 else 'has'}"
