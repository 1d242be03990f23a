"""The matrix of a release: which (python-abi, platform, variant) cells are declared, and which wheels fill them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from variant_publish.model.tags import tag_covers
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


def found_axes(names: Iterable[WheelName]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the pythons ("cp312-cp312") and the platforms that occur in the names, sorted."""
    pythons: set[str] = set()
    platforms: set[str] = set()
    for name in names:
        pythons.update(f"{tag.interpreter}-{tag.abi}" for tag in name.tags)
        platforms.add(name.platform[0])
    return tuple(sorted(pythons)), tuple(sorted(platforms))
