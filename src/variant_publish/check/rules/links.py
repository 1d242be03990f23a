"""Rules 8xx on what the members of a family require of each other: it is met, and there wherever it is required."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from variant_publish.archive.wheel import Wheel
from variant_publish.check.engine.family import Family
from variant_publish.check.engine.requires import environment_of
from variant_publish.check.engine.rule import FamilyRule, Outcome, in_wheels, some
from variant_publish.errors import VariantPublishError
from variant_publish.model.matrix import Cell, own_platforms, own_pythons, serves
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC
from variant_publish.release.release import Release


class RequirementsMet(FamilyRule):
    """Prove that what the wheels of a member require of the others is met by the releases that are in the family.

    torchvision 0.24 requires torch==2.9.0: released beside torch 2.9.1 it cannot be installed with it, and a resolver
    goes back to older versions of both without a word.
    """

    id = "VP806"
    hint = "release versions that fit each other, or correct the requirement"

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
                    yield self.failed(
                        f"it requires {text}, and the family has {target.project} {target.version}{in_wheels(files)}",
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

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each member and each sibling that it pins."""
        found = False
        for member in family.members:
            links = Links(member, family)
            for target in family.members:
                if target is member or not any(map(_is_pin, links.to(target.project))):
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
            for python in own_pythons(wheel.name.plain):
                for platform in own_platforms(wheel.name.plain):
                    cell = Cell(python, platform, variant)
                    pins = [pin for pin in links.of(wheel, target.project) if _is_pin(pin) and _applies(pin, cell)]
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


class Links(msgspec.Struct, frozen=True, dict=True):
    """What the wheels of one member require of the others, by wheel and normalised name."""

    member: Release
    family: Family

    @cached_property
    def _by_wheel(self) -> dict[str, list[TaggedRequirement]]:
        return {wheel.filename: list(self._links(wheel)) for wheel in self.member.wheels}

    def _links(self, wheel: Wheel) -> Iterator[TaggedRequirement]:
        for text in wheel.metadata.requires_dist:
            try:
                requirement = TaggedRequirement.parse(text)
            except VariantPublishError:
                continue  # VP205 reports it
            if requirement.project in self.family.names and requirement.project != self.member.project:
                yield requirement

    def of(self, wheel: Wheel, project: str) -> list[TaggedRequirement]:
        """Return what one wheel requires of a project."""
        return [requirement for requirement in self._by_wheel[wheel.filename] if requirement.project == project]

    def to(self, project: str) -> list[TaggedRequirement]:
        """Return what the wheels require of a project, each once."""
        return list(dict.fromkeys(one for wheel in self.member.wheels for one in self.of(wheel, project)))

    def unmet(self, wheel: Wheel, target: Release) -> str:
        """Return the requirement of a wheel that the release does not meet, "" where it meets all.

        Of requirements with markers, which are for several machines or extras, one has to be met.
        """
        found = self.of(wheel, target.project)
        plain = [one for one in found if one.plain.marker is None]
        marked = [one for one in found if one.plain.marker is not None]
        met = {one: one.plain.specifier.contains(target.version, prereleases=True) for one in found}
        unmet = [one for one in plain if not met[one]]
        if not unmet and marked and not any(met[one] for one in marked):
            unmet = marked[:1]
        return str(unmet[0]) if unmet else ""


def _is_pin(requirement: TaggedRequirement) -> bool:
    """Return whether one version alone meets the requirement: `==X`, or bounds that leave nothing else (`>=X,<=X`)."""
    bounds = {specifier.operator: specifier.version for specifier in requirement.plain.specifier}
    return requirement.pin is not None or (bounds.get(">=") is not None and bounds.get(">=") == bounds.get("<="))


def _applies(requirement: TaggedRequirement, cell: Cell) -> bool:
    """Return whether the marker holds on the machines of the cell; one that asks for an extra is taken for holding."""
    marker = requirement.plain.marker
    if marker is None or "extra" in str(marker):
        return True
    return marker.evaluate(environment_of([cell.python.partition("-")[0]], cell.platform))


def _is_served(target: Release, cell: Cell, pin: TaggedRequirement) -> bool:
    for wheel in target.wheels:
        name = wheel.name
        fits = set(pin.tags) <= set(name.words) if pin.tags else (
            name.serves_everyone or target.variant_of(name) == cell.variant
        )  # fmt: skip
        if fits and serves(name.plain, cell):
            return True
    return False
