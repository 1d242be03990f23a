"""Look at what is installed: does each variant still fit, is there a better one, do its ABI pins hold."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.install.environment import Environment, Installed
from variant_publish.install.fit import label_misfit, misfit, stale_abi
from variant_publish.install.origin import Judgement, PinState, judge
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC
from variant_publish.providers.machine import Machine
from variant_publish.remote.listing import read_project
from variant_publish.view import Indexes, Selection, Wish, select
from variant_publish.view.from_index import ProjectNotFound

_AT_ONCE = 8


class Diagnosis(msgspec.Struct, frozen=True):
    """What is said of one installed distribution.

    `misfit` says why it does not fit this machine or what is installed beside it, `better` names the wheel that the
    index has for it now; None where there is nothing to say. `pins` pairs each ABI pin with its judgement. `wish` is
    what the user asked for, which no other wheel is better than.
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
        return self.misfit is not None or any(found.state is PinState.BROKEN for _, found in self.pins)

    @property
    def advice(self) -> str | None:
        """Return what to run; None where all is well."""
        if not self.is_broken and self.better is None:
            return None
        tags = self.wish if self.wish and self.wish != GENERIC else ""
        generic = " --generic" if self.wish == GENERIC else ""
        return f"variant-publish install {self.project}{tags}=={self.version.partition('+')[0]}{generic} --index URL"

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
            "run": self.advice,
            "pins": [{"pin": str(pin), "verdict": found.state, "reason": found.reason} for pin, found in self.pins],
        }


def diagnose(environment: Environment, machine: Machine, indexes: Indexes) -> tuple[Diagnosis, ...]:
    """Look at every installed variant, at whatever has ABI pins, and at what a variant could take the place of.

    Without indexes nothing is said of better wheels, and a pin is judged by what the environment itself tells.
    """
    installed = environment.installed()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda item: _diagnosis(item, installed, machine, indexes), installed.values())
        return tuple(sorted(filter(None, found), key=lambda item: item.project))


def _diagnosis(
    item: Installed, installed: Mapping[NormalizedName, Installed], machine: Machine, indexes: Indexes
) -> Diagnosis | None:
    better, project = _better(item, machine, indexes), str(item.project)
    if item.record is None and item.variant_json is None and not item.pins and better is None:
        return None
    pins = tuple((pin, judge(pin, installed.get(pin.project), _listed(pin, indexes))) for pin in item.pins)
    wish = item.record.wish if item.record is not None else None
    return Diagnosis(project, str(item.version), _variant(item), _misfit(item, machine, installed), better, pins, wish)


def _variant(item: Installed) -> str:
    if item.record is not None:
        return item.record.variant
    return next(iter(item.variant_json.variants), GENERIC) if item.variant_json is not None else GENERIC


def _misfit(item: Installed, machine: Machine, installed: Mapping[NormalizedName, Installed]) -> str | None:
    """Ask the machine, and what is installed beside it, for what the wheel needs."""
    if item.record is not None:
        versions = {str(name): other.version for name, other in installed.items()}
        return stale_abi(item.record.abi, versions) or misfit(item.record, machine)
    return None if item.variant_json is None else label_misfit(item.variant_json, machine)


def _better(item: Installed, machine: Machine, indexes: Indexes) -> str | None:
    """Choose again, as the user asked for it."""
    if not indexes.urls:
        return None
    wish = Wish(item.record.asked, generic=item.record.generic) if item.record is not None else None
    try:
        found = select(item.project, indexes, machine, version=SpecifierSet(f"=={item.version.public}"), wish=wish)
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
