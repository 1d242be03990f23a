"""Machines that the properties of a release distinguish, and what each of them gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import product
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.check.engine.context import Context
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import DIALECTS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.model.variant import Properties
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import releases_of
from variant_publish.providers.base import MOST_MACHINES, NONE, Values
from variant_publish.providers.machine import Machine
from variant_publish.providers.platforms import AARCH64, X86_64, platform_architecture
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles, of_release
from variant_publish.view import in_order

_MANY = MOST_MACHINES // 5
"""Machines that are simulated for one release; the properties of real releases distinguish a few hundred."""


class Case(msgspec.Struct, frozen=True):
    """One machine on one row of the matrix, and its usable variants in the order of the installer, best first.

    `ties` are those that only their label sets apart from the best one; `served` says whether a generic or null wheel
    is there for it.
    """

    dialect: Dialect
    values: Values
    platform: str
    order: tuple[str, ...]
    ties: tuple[str, ...]
    served: bool

    def __str__(self) -> str:
        values = (
            ", ".join(f"{name}={value}" for name, value in self.values.items() if value != NONE) or "nothing special"
        )
        return f"a machine of {self.platform} with {values}"


class SimulatedRow(msgspec.Struct, frozen=True):
    """The wheels of variants on one platform, in one dialect, one for each; `served` is a generic or null one."""

    platform: str
    variants: Mapping[str, WheelName]
    served: WheelName | None


def simulated(context: Context) -> tuple[tuple[Case, ...], list[str]]:
    """Simulate the clients of each dialect, once for each release.

    The sentences name the selector files that tell more machines apart than were simulated.
    """
    if "cases" not in context.notes:
        left_out: list[str] = []
        context.notes["cases"] = tuple(_cases(context.release, left_out)), left_out
    found: tuple[tuple[Case, ...], list[str]] = context.notes["cases"]
    return found


def _cases(release: Release, left_out: list[str]) -> Iterator[Case]:
    """Simulate; of a dialect whose selector file is wrong, which VP601 or VP604 reports, nothing."""
    for dialect in DIALECTS.values():
        try:
            data = of_release(_readable_by(release, dialect)).files.get(dialect)
        except VariantPublishError:
            continue
        rows = _rows(release, dialect) if data is not None else ()
        every = ((row, place, values) for row in rows for place, values in _simulated(dialect, data, row))
        for number, (row, place, values) in enumerate(every):
            if number == _MANY:
                file = dialect.file_name(release.project, str(release.version))
                left_out.append(f"{file} tells more than {_MANY:,} machines apart, and no more were simulated")
                break
            if not _is_foreign(values, place):
                yield _case(dialect, data, row, values)


def _simulated(dialect: Dialect, data: Any, row: SimulatedRow) -> Iterator[tuple[str, Values]]:
    wheels = [name.words for name in row.variants.values()]
    for place in _machines_of(row.platform):
        for values in dialect.machines(data, wheels, partial(machines, platform=place)):
            yield place, values


def _machines_of(platform: str) -> tuple[str, ...]:
    """Return the platforms of the machines that a platform tag serves: `any` serves every architecture."""
    return ("linux_x86_64", "linux_aarch64") if platform == "any" else (platform,)


def _readable_by(release: Release, dialect: Dialect) -> Release:
    """Return the release as clients of one dialect see it: what is wrong with another one is nothing to them."""
    return replace(release, wheels=tuple(item for item in release.wheels if item.name.dialect in (None, dialect)))


def machines(variants: Iterable[Properties], platform: str) -> Iterator[Values]:
    """Return the machines of a platform that differ in some property, as the provider of each namespace has them."""
    items = {item for properties in variants for item in properties.items}
    axes = [
        provider.machines(sorted(item for item in items if item.namespace == provider.namespace), platform)
        for provider in catalog.providers()
        if any(item.namespace == provider.namespace for item in items)
    ]
    for combination in product(*axes):
        yield {name: value for values in combination for name, value in values.items()}


def _case(dialect: Dialect, data: Any, row: SimulatedRow, values: Values) -> Case:
    # A client that has every provider, whatever the file asks of it: VP610 is about those that clients have.
    machine = Machine(values, (), "3", evaluated=catalog.supported_by(values), abi=releases_of(values))
    files = SelectorFiles({dialect: data})
    placed = in_order(row.variants.values(), files, machine, dialect)
    order = tuple(name.variant for _, name in placed)
    ties = tuple(name.variant for key, name in placed[1:] if key[:-1] == placed[0][0][:-1])
    served = row.served is not None and bool(in_order([row.served], files, machine, dialect))
    return Case(dialect, values, row.platform, order, ties, served)


def _is_foreign(values: Values, platform: str) -> bool:
    """Return whether the CPU variables contradict the platform: a level on another architecture, none on its own."""
    architecture = platform_architecture(platform)
    own = {"x86_64_version": X86_64, "aarch64_version": AARCH64}
    return any((values[name] == NONE) == (arch == architecture) for name, arch in own.items() if name in values)


def _rows(release: Release, dialect: Dialect) -> Iterator[SimulatedRow]:
    """Return one row for each platform and set of variants: further Pythons with the same choice show nothing new."""
    places: dict[tuple[str, str], tuple[dict[str, WheelName], list[WheelName]]] = {}
    for wheel in release.wheels:
        name = wheel.name
        for tag in name.tags:
            variants, served = places.setdefault((f"{tag.interpreter}-{tag.abi}", tag.platform), ({}, []))
            if name.dialect is dialect and not name.serves_everyone:
                variants[name.variant] = name
            elif name.serves_everyone:
                served.append(name.generic())
    seen = set()
    for (_, platform), (found, served) in sorted(places.items(), key=itemgetter(0)):
        if found and (key := (platform_architecture(platform), frozenset(found), bool(served))) not in seen:
            seen.add(key)
            yield SimulatedRow(platform, dict(sorted(found.items())), served[0] if served else None)
