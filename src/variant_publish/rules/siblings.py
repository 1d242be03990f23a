"""Rules 8xx: projects that belong together are there together, in one matrix, and require each other as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from variant_publish.config import TABLE
from variant_publish.model.matrix import Cell, own_platforms, own_pythons, serves
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC
from variant_publish.release import Release
from variant_publish.rules.family import Column, Family
from variant_publish.rules.links import Links, applies, is_pin
from variant_publish.rules.rule import FamilyRule, Outcome, Severity, some

_SKIP = f"or say why not: {TABLE}.family.skip with a project and a reason"


class MembersThere(FamilyRule):
    """Prove that every member of the family was checked, in one version.

    What was not named cannot be compared: a family of which one project was forgotten looks whole.
    """

    id = "VP801"
    title = "every member of the family is there, once"
    severity = Severity.WARNING

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
            elif len(versions) > 1:
                yield Outcome.failed(
                    f"{name} is there in {len(versions)} versions: {', '.join(versions)}",
                    "name one release of each project",
                )
            else:
                yield Outcome.passed()


class SameVersions(FamilyRule):
    """Prove that members that do not require each other have the same version.

    cupy-cuda12x and cupy-cuda13x are one code base: a version that one of them lacks was forgotten, or is still being
    uploaded. Members that require each other, such as torchvision and torch, have versions of their own: VP806.
    """

    id = "VP802"
    title = "members that do not require each other have one version"
    severity = Severity.WARNING

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each group of members that require each other, but for the first."""
        first, *others = _groups(family)
        if not others:
            yield Outcome.skipped("all members require each other")
            return
        for group in others:
            if {member.version for member in group} == {member.version for member in first}:
                yield Outcome.passed()
                continue
            yield Outcome.failed(
                f"{_versions(group)} and {_versions(first)} have other versions, and do not require each other",
                "release them together, or name the releases that belong together",
            )


class SamePlatforms(FamilyRule):
    """Tell of platforms that one member has wheels for and another has not, in the same variant.

    That is often on purpose (there is no CPU build where the other one is that already), so it is no warning.
    """

    id = "VP803"
    title = "the members have wheels for the same platforms"
    severity = Severity.INFO

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each column."""
        for column in family.columns:
            if not family.siblings(column):
                yield Outcome.skipped(f"no other member has variant {column.variant!r}: VP805 looks at it")
                continue
            absent: dict[str, str] = {}
            rows = [row for row in family.wanted(column) if not column.has_platform(row[1])]
            for python, platform in rows:
                if skip := family.skip_of(column, python, platform):
                    yield Outcome.skipped(f"{column}, {platform}: {skip.reason}")
                else:
                    absent.setdefault(platform, python)
            if absent:
                platform, python = next(iter(absent.items()))
                yield Outcome.failed(
                    f"{column} has no wheels for {some(absent)}: {_who_has(family, column, rows)}",
                    f"build them, {_SKIP}",
                    cell=Cell(python, platform, str(column)),
                )
            else:
                yield Outcome.passed()


class NoHolesAcross(FamilyRule):
    """Prove that on a platform that members share, in the same variant, all of them have wheels for the same Pythons.

    Whoever moves from one member to the other, or installs both, finds the sdist there, or nothing.
    """

    id = "VP804"
    title = "no member lacks a Python that its siblings have"
    severity = Severity.WARNING

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield a failure for each column and platform with holes, else a pass for each filled cell."""
        for column in family.columns:
            if not family.siblings(column):
                yield Outcome.skipped(f"no other member has variant {column.variant!r}: VP805 looks at it")
                continue
            holes: dict[str, list[str]] = {}
            for python, platform in family.wanted(column):
                if not column.has_platform(platform):
                    continue
                if skip := family.skip_of(column, python, platform):
                    yield Outcome.skipped(f"{column}, {python}, {platform}: {skip.reason}")
                else:
                    holes.setdefault(platform, []).append(python)
            for platform, pythons in holes.items():
                yield Outcome.failed(
                    f"{column} has no wheel for {some(pythons, 6)} on {platform}:"
                    f" {_who_has(family, column, [(python, platform) for python in pythons])}",
                    f"build it, {_SKIP}",
                    cell=Cell(pythons[0], platform, str(column)),
                )
            filled = sum(bool(column.files_for(*row)) for row in family.rows)
            yield from (Outcome.passed() for _ in range(filled))


class SameVariants(FamilyRule):
    """Prove that every member has the variants that another one has.

    A user of torch in CUDA 12.8 needs torchvision in CUDA 12.8; without it an installer takes the generic wheel, which
    is of another build, or finds nothing.
    """

    id = "VP805"
    title = "the members have the same variants"
    severity = Severity.WARNING

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each member."""
        variants = dict.fromkeys(column.variant for column in family.columns if column.variant != GENERIC)
        if not variants:
            yield Outcome.skipped("no member has variants")
            return
        for member in family.members:
            lacking = [variant for variant in variants if variant not in member.variants]
            left = [variant for variant in lacking if not self._is_skipped(family, member, variant)]
            yield from (Outcome.skipped(f"{member.project} {variant}") for variant in lacking if variant not in left)
            if left:
                others = [str(column) for column in family.columns if column.variant in left]
                yield Outcome.failed(
                    f"{member.project} has no variant {some(map(repr, left))}: there are {some(others)}",
                    f"build it, {_SKIP}",
                )
            else:
                yield Outcome.passed()

    @staticmethod
    def _is_skipped(family: Family, member: Release, variant: str) -> bool:
        """Say whether a skip leaves out the whole variant: one of a Python or platform leaves the others."""
        whole = (skip for skip in family.skips if skip.python is None and skip.platform is None and skip.variant)
        column = Column(member, variant, ())
        return any(skip is family.skip_of(column, "", "") for skip in whole)


class RequirementsMet(FamilyRule):
    """Prove that what the wheels of a member require of the others is met by the releases that are in the family.

    torchvision 0.24 requires torch==2.9.0: released beside torch 2.9.1 it cannot be installed with it, and a resolver
    goes back to older versions of both without a word.
    """

    id = "VP806"
    title = "what members require of each other is met in the family"
    severity = Severity.ERROR

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each pair of members of which one requires the other."""
        found = False
        for member in family.members:
            links = Links(member, family)
            for name in family.names:
                wanted = links.to(name)
                if not wanted:
                    continue
                found = True
                target = family.member(name)
                if target is None:
                    yield Outcome.unknown(
                        f"{member.project} {member.version} requires {some(map(str, wanted))}, and {name} was not"
                        " checked", f"name it too: a folder with its wheels, or {name}==VERSION",
                    )  # fmt: skip
                    continue
                unmet = {one.filename: text for one in member.wheels if (text := links.unmet(one, target))}
                for text in dict.fromkeys(unmet.values()):
                    files = [file for file, other in unmet.items() if other == text]
                    more = f" (in {len(files)} wheels)" if len(files) > 1 else ""
                    yield Outcome.failed(
                        f"it requires {text}, and the family has {target.project} {target.version}{more}",
                        "release versions that fit each other, or correct the requirement",
                        file=files[0],
                    )
                if not unmet:
                    yield Outcome.passed()
        if not found:
            yield Outcome.skipped("no member requires another")


class PinnedServed(FamilyRule):
    """Prove that a member that is pinned by another one has a wheel wherever the pinning one has.

    A wheel of torchvision for a Python that torch has no wheel for cannot be installed at all. A variant is served by
    the same variant or by a wheel for everyone; a pin with extra tags, by a wheel with these tags.
    """

    id = "VP807"
    title = "a pinned member has a wheel wherever the pinning one has"
    severity = Severity.ERROR

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each member and each sibling that it pins."""
        found = False
        for member in family.members:
            links = Links(member, family)
            for target in family.members:
                if target is member or not any(map(is_pin, links.to(target.project))):
                    continue
                found = True
                if target.sdists:
                    yield Outcome.skipped(f"{target.project} has an sdist, which serves everyone in its own way")
                    continue
                yield from self._of_pair(member, target, links)
        if not found:
            yield Outcome.skipped("no member pins another with ==")

    @staticmethod
    def _of_pair(member: Release, target: Release, links: Links) -> Iterator[Outcome]:
        open_: dict[tuple[str, str], list[str]] = {}
        for wheel in member.wheels:
            variant = member.variant_of(wheel.name)
            for python in own_pythons(wheel.name):
                for platform in own_platforms(wheel.name):
                    cell = Cell(python, platform, variant)
                    pins = [pin for pin in links.of(wheel, target.project) if is_pin(pin) and applies(pin, cell)]
                    if not all(_is_served(target, cell, pin) for pin in pins):
                        open_.setdefault((platform, variant), []).append(python)
        for (platform, variant), pythons in open_.items():
            of = "" if variant == GENERIC else f", {variant}"
            yield Outcome.failed(
                f"{member.project} pins {target.project}, which has no wheel for {some(pythons, 6)} on {platform}{of}",
                f"build {target.project} for it too, or leave the wheels of {member.project} out",
                cell=Cell(pythons[0], platform, variant),
            )
        if not open_:
            yield Outcome.passed()


def _groups(family: Family) -> list[list[Release]]:
    """Give the members in groups that require each other, directly or by way of others, in their order."""
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
    """Say which siblings have wheels for some of the rows (python, platform)."""
    rows = list(rows)
    names = [str(other) for other in family.siblings(column) if any(other.claims(*row) for row in rows)]
    return f"{some(names)} {'have' if len(names) > 1 else 'has'}"


def _is_served(target: Release, cell: Cell, pin: TaggedRequirement) -> bool:
    for wheel in target.wheels:
        name = wheel.name
        fits = set(pin.tags) <= set(name.extra_tags) if pin.tags else (
            name.serves_everyone or target.variant_of(name) == cell.variant
        )  # fmt: skip
        if fits and serves(name, cell):
            return True
    return False
