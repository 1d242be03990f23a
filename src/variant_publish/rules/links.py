"""What the members of a family require of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from variant_publish.archive.wheel import Wheel
from variant_publish.errors import VariantPublishError
from variant_publish.model.matrix import Cell
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.release import Release
from variant_publish.rules.family import Family
from variant_publish.rules.requires import environment_of


@dataclass(frozen=True)
class Links:
    """Hold what the wheels of one member require of the others, by wheel and normalised name."""

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
        """Give what one wheel requires of a project."""
        return [requirement for requirement in self._by_wheel[wheel.filename] if requirement.project == project]

    def to(self, project: str) -> list[TaggedRequirement]:
        """Give what the wheels require of a project, each once."""
        return list(dict.fromkeys(one for wheel in self.member.wheels for one in self.of(wheel, project)))

    def unmet(self, wheel: Wheel, target: Release) -> str:
        """Give the requirement of a wheel that the release does not meet, "" where it meets all.

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


def is_pin(requirement: TaggedRequirement) -> bool:
    """Say whether one version alone meets the requirement: `==X`, or bounds that leave nothing else (`>=X,<=X`)."""
    bounds = {specifier.operator: specifier.version for specifier in requirement.plain.specifier}
    return requirement.pin is not None or (bounds.get(">=") is not None and bounds.get(">=") == bounds.get("<="))


def applies(requirement: TaggedRequirement, cell: Cell) -> bool:
    """Say whether the marker holds on the machines of the cell; one that asks for an extra is taken for holding."""
    marker = requirement.plain.marker
    if marker is None or "extra" in str(marker):
        return True
    return marker.evaluate(environment_of([cell.python.partition("-")[0]], cell.platform))
