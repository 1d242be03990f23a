"""Make the plain wheel that a machine gets: without extra tags or label, and with markers that pip and uv read."""

from __future__ import annotations

from pathlib import Path

from variant_publish.archive.retag import Rewrite
from variant_publish.archive.wheel import WholeWheel
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.serve.wheel_cache import FetchedWheel, WheelCache


def plain_for(
    machine: Machine, fetched: FetchedWheel, cache: WheelCache, reporter: Reporter = SILENT
) -> tuple[Path, tuple[TaggedRequirement, ...]]:
    """Return the plain wheel of a fetched one, and its ABI pins.

    A requirement of a `+tag` wheel may ask for selector variables (`bar; x86_64_version == "x86-64-v3"`), which only
    variant-aware tools read: it is evaluated on the machine, and written as plain tools read it, or left out.
    """
    wheel = WholeWheel.read(fetched.path)
    pins = list(wheel.pins)
    asked, kept = [], []
    for text in wheel.metadata.requires_dist if not wheel.name.plain_installers_read else ():
        evaluated = with_evaluated_markers(text, machine.values, machine.holds)
        if evaluated == text:
            continue
        requirement = TaggedRequirement.parse(evaluated)
        asked.append(text)
        if _applies(requirement, machine):
            kept.append(requirement)
    pins += [requirement for requirement in kept if requirement.tags]
    rewrite = Rewrite(
        drop_signatures=True,
        remove=tuple(asked),
        add=tuple(str(requirement) for requirement in kept if not requirement.tags),
        pins=tuple(requirement for requirement in kept if requirement.tags),
    )
    return cache.made(fetched, rewrite, reporter), tuple(sorted(pins, key=str))


def _applies(requirement: TaggedRequirement, machine: Machine) -> bool:
    """Evaluate what is left of the marker; an extra that may be asked for counts as asked for."""
    marker = requirement.plain.marker
    return marker is None or "extra" in str(marker) or marker.evaluate(machine.marker_environment)
