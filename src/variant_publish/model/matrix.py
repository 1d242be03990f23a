"""The matrix of a release: which (python-abi, platform, variant) cells are declared, and which wheels fill them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from variant_publish.model.tags import modern_platform, platform_covers, python_covers, tag_covers
from variant_publish.model.variant import GENERIC
from variant_publish.model.wheel_name import WheelName


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """Name one place of the matrix: `python` like "cp312-cp312", `platform` a platform tag, `variant` a name."""

    python: str
    platform: str
    variant: str

    def __str__(self) -> str:
        return f"{self.python}, {self.platform}, {self.variant}"


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave cells out on purpose: every field that is set must match; `reason` says why, for people."""

    reason: str
    python: str | None = None
    platform: str | None = None
    variant: str | None = None

    def matches(self, cell: Cell) -> bool:
        """Say whether the cell is left out by this skip."""
        return (
            self.python in (None, cell.python)
            and self.platform in (None, cell.platform)
            and self.variant in (None, cell.variant)
        )


@dataclass(frozen=True, slots=True)
class Matrix:
    """Hold the declared matrix: every python x every platform, in the generic build and in each variant.

    `variants` maps a variant's name to the platforms it is built for. Declared order is kept everywhere.
    """

    python: tuple[str, ...]
    platform: tuple[str, ...]
    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    skips: tuple[Skip, ...] = ()

    def all_cells(self) -> tuple[Cell, ...]:
        """Give every declared cell, skipped ones too: generic first, then the variants in their order."""
        columns = [(GENERIC, self.platform), *self.variants]
        return tuple(
            Cell(python, platform, variant)
            for variant, platforms in columns
            for python, platform in product(self.python, platforms)
        )

    def skip_of(self, cell: Cell) -> Skip | None:
        """Give the first skip that leaves the cell out."""
        return next((skip for skip in self.skips if skip.matches(cell)), None)

    def cells(self) -> tuple[Cell, ...]:
        """Give the cells that must be filled."""
        return tuple(cell for cell in self.all_cells() if self.skip_of(cell) is None)


def fills(name: WheelName, variant: str, cell: Cell) -> bool:
    """Say whether the wheel, known to be of `variant`, serves the cell.

    abi3, `py3-none`, compressed tag sets and older manylinux tags cover what they cover; see
    `variant_publish.model.tags`.
    """
    return variant == cell.variant and any(tag_covers(tag, cell.python, cell.platform) for tag in name.tags)


def own_platforms(name: WheelName) -> tuple[str, ...]:
    """Give the platforms of the name in modern spelling, without those that another member covers already."""
    return _undominated({modern_platform(platform): platform for platform in name.platform})


def own_pythons(name: WheelName) -> tuple[str, ...]:
    """Give the pythons of the name ("cp312-cp312"); Python 2 only where there is nothing else."""
    pythons = tuple(f"{python}-{abi}" for python, abi in product(name.python, name.abi))
    return tuple(python for python in pythons if python[2:3] != "2") or pythons


def found_matrix(wheels: Iterable[tuple[WheelName, str]]) -> Matrix:
    """Give the rectangle that the wheels span, each given with its variant; generic is always a column.

    An older libc, `any` and abi3 are folded into what they cover where the other wheels are narrower, so that a
    generic `py3-none-any` beside compiled variants makes no holes. A variant's column has the platforms for which
    it has a wheel at all.
    """
    given = list(wheels)
    columns: dict[str, list[WheelName]] = {GENERIC: []}
    for name, variant in given:
        columns.setdefault(variant, []).append(name)
    platforms = _folded({platform for name, _ in given for platform in own_platforms(name)})
    pythons = {python for name, _ in given for python in own_pythons(name)}
    kept = [python for python in pythons if not _is_folded(python, pythons, list(columns.values()))]
    return Matrix(
        tuple(sorted(kept, key=natural_key)),
        platforms,
        tuple(
            (variant, tuple(platform for platform in platforms if _has_platform(names, platform)))
            for variant, names in columns.items()
            if variant != GENERIC
        ),
    )


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Give a sort key by which cp39 comes before cp310."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.split(r"([0-9]+)", text) if part)


def _has_platform(names: Iterable[WheelName], platform: str) -> bool:
    return any(platform_covers(own, platform) for name in names for own in name.platform)


def _undominated(platforms: Iterable[str]) -> tuple[str, ...]:
    """Keep the widest: drop what another one covers."""
    found = list(platforms)
    return tuple(one for one in found if not any(other != one and platform_covers(other, one) for other in found))


def _folded(platforms: Iterable[str]) -> tuple[str, ...]:
    """Keep the narrowest: drop what covers another one."""
    found = sorted(platforms, key=natural_key)
    return tuple(one for one in found if not any(other != one and platform_covers(one, other) for other in found))


def _is_folded(python: str, pythons: Iterable[str], columns: Iterable[list[WheelName]]) -> bool:
    interpreter, _, abi = python.partition("-")
    if not any(other != python and python_covers(interpreter, abi, other) for other in pythons):
        return False
    return any(names and not any(python in own_pythons(name) for name in names) for names in columns)
