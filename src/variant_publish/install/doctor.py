"""Look at what is installed: does each variant still fit, is there a better one, do its ABI pins hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from packaging.specifiers import SpecifierSet

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.install.environment import Environment, Installed
from variant_publish.install.origin import Judgement, Verdict, judge
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC
from variant_publish.providers.base import NONE
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.remote.listing import read_project
from variant_publish.view import Indexes, Selection, select
from variant_publish.view.from_index import ProjectNotFound


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is said of one installed variant.

    `misfit` says why it does not fit this machine, `better` names the wheel that the index has for it now; None where
    there is nothing to say. `pins` pairs each ABI pin with its judgement. `wish` is what the user asked for, which no
    other wheel is better than.
    """

    project: str
    version: str
    variant: str
    misfit: str | None
    better: str | None
    pins: tuple[tuple[TaggedRequirement, Judgement], ...]
    wish: str | None = None

    @property
    def is_broken(self) -> bool:
        """Return whether it cannot be relied on: the wrong machine, or a pin that does not hold."""
        return self.misfit is not None or any(found.verdict is Verdict.BROKEN for _, found in self.pins)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "project": self.project,
            "version": self.version,
            "variant": self.variant,
            "wish": self.wish,
            "fits": self.misfit is None,
            "misfit": self.misfit,
            "better": self.better,
            "pins": [{"pin": str(pin), "verdict": found.verdict, "reason": found.reason} for pin, found in self.pins],
        }


def diagnose(environment: Environment, machine: Machine, indexes: Indexes) -> tuple[Diagnosis, ...]:
    """Look at every installed variant, and at whatever has ABI pins, in the order of the names.

    Without indexes nothing is said of better wheels, and a pin is judged by what the environment itself tells.
    """
    installed = environment.installed()
    result = []
    for project, item in sorted(installed.items()):
        if item.record is None and item.variant_json is None and not item.pins:
            continue
        pins = tuple((pin, judge(pin, installed.get(pin.project), _listed(pin, indexes))) for pin in item.pins)
        better = _better(item, machine, indexes)
        wish = item.record.wish if item.record is not None else None
        misfit = _misfit(item, machine)
        result.append(Diagnosis(project, str(item.version), _variant(item), misfit, better, pins, wish))
    return tuple(result)


def _variant(item: Installed) -> str:
    if item.record is not None:
        return item.record.variant
    return next(iter(item.variant_json.variants), GENERIC) if item.variant_json is not None else GENERIC


def _misfit(item: Installed, machine: Machine) -> str | None:
    """Ask the machine for what the wheel needs: values of selector variables, or properties of its label."""
    record = item.record
    for variable, values in (record.needs if record is not None else {}).items():
        here = machine.value(variable)
        if here not in values:
            return f"{variable} is {here or 'not known'} here, and it needs {' or '.join(values) or NONE}"
    metadata = record.metadata if record is not None else item.variant_json
    if metadata is None:
        return None
    for dialect, data in SelectorFiles.of(metadata).files.items():
        found = dialect.rank(data, machine)(tuple(metadata.variants))
        return found if isinstance(found, str) else None
    return None


def _better(item: Installed, machine: Machine, indexes: Indexes) -> str | None:
    """Choose again, with the wish that the user had."""
    if not indexes.urls:
        return None
    record = item.record
    try:
        found = select(
            item.project, indexes.urls, machine, version=SpecifierSet(f"=={item.version}"), implied=indexes.implied,
            tags=record.asked if record is not None else (), generic=record is not None and record.generic,
        )  # fmt: skip
    except ProjectNotFound:
        return None
    return None if found.selected is None or _is_selected(item, found) else found.selected


def _is_selected(item: Installed, found: Selection) -> bool:
    """Return whether what would be chosen now is what is there: the wheel itself, or the same variant."""
    if item.record is not None and item.record.wheel == found.selected:
        return True
    return WheelName.parse(found.selected or "").variant == _variant(item)


def _listed(pin: TaggedRequirement, indexes: Indexes) -> list[Any] | None:
    urls = [url for url in indexes.urls if set(pin.tags) <= set(indexes.implied.get(url, ()))]
    return [file for url in urls for file in read_project(url, pin.project)] if urls else None
