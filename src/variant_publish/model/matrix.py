"""The matrix of a release: which (python-abi, platform, variant) cells are declared, and which wheels fill them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Self

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.plain_name import PlainName
from variant_publish.model.tags import modern_platform, platform_covers, platform_serves, python_covers, tag_covers
from variant_publish.model.variant import GENERIC

CELL_AXES = ("python", "platform", "variant")
"""The axes that a cell has; a group may have others, such as a compiler, which only build jobs hear of."""

_AXIS = r"[a-z0-9][a-z0-9_-]*"


class ZipGroup(msgspec.Struct, frozen=True):
    """Axes that move together: each row is one value of each axis, and values of two rows never meet.

    A group speaks of the values that it names. What has another value is not held by it, and combines as before.
    Raises UsageError where the group says nothing: one axis, no axis of a cell, or one place of the matrix twice.
    """

    axes: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if len(self.axes) < 2:
            raise UsageError("it has one axis, and nothing to move with it", hint="name two axes or more")
        for axis in self.axes:
            if not re.fullmatch(_AXIS, axis):
                raise UsageError(
                    f"axis {axis!r} has characters that a CI matrix cannot carry",
                    hint="use lower-case letters, digits, '_' and '-'",
                )
        if not self._places:
            raise UsageError(
                f"none of its axes ({', '.join(self.axes)}) is one of a wheel",
                hint=f"name at least one of {', '.join(CELL_AXES)}: two builds of one wheel would be twins",
            )
        seen: set[tuple[str, ...]] = set()
        for row in self.rows:
            place = tuple(row[index] for index in self._places)
            if place in seen:
                raise UsageError(
                    f"{', '.join(place)} occurs twice, so one wheel would be built twice", hint="keep one of the two"
                )
            seen.add(place)

    @classmethod
    def of_columns(cls, columns: Mapping[str, Sequence[str]]) -> Self:
        """Build from axis -> values; UsageError where the lists are empty or not of one length."""
        lengths = {axis: len(values) for axis, values in columns.items()}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            found = ", ".join(f"{axis} {length}" for axis, length in lengths.items())
            raise UsageError(
                f"its lists are not of one length ({found})",
                hint="write one value for each row of every axis, none empty",
            )
        return cls(tuple(columns), tuple(zip(*columns.values(), strict=True)))

    @property
    def _places(self) -> tuple[int, ...]:
        return tuple(index for index, axis in enumerate(self.axes) if axis in CELL_AXES)

    def values(self, axis: str) -> tuple[str, ...]:
        """Return the values of one axis, each once; none for an axis that the group lacks."""
        if axis not in self.axes:
            return ()
        place = self.axes.index(axis)
        return tuple(dict.fromkeys(row[place] for row in self.rows))

    def row_of(self, cell: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the row that a cell (python, platform, variant) is of; None where it is of none."""
        for row in self.rows:
            found = dict(zip(self.axes, row, strict=True))
            if all(found[axis] == cell[axis] for axis in CELL_AXES if axis in found):
                return found
        return None

    def parts(self, cell: Mapping[str, str]) -> bool:
        """Return whether the group names every value of the cell and lets them not meet."""
        held = all(cell[axis] in self.values(axis) for axis in CELL_AXES if axis in self.axes)
        return held and self.row_of(cell) is None

    def __str__(self) -> str:
        return "; ".join(", ".join(f"{axis} {value}" for axis, value in self.lines(row)) for row in self.rows)

    def lines(self, row: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Return a row as (axis, value) pairs."""
        return tuple(zip(self.axes, row, strict=True))


_MOST_CELLS = 50_000
_MOST_TESTS = 5_000_000
"""Cells times what may leave them out."""


class Cell(msgspec.Struct, frozen=True, order=True):
    """Name one place of the matrix: `python` like "cp312-cp312", `platform` a platform tag, `variant` a name."""

    python: str
    platform: str
    variant: str

    def __str__(self) -> str:
        return f"{self.python}, {self.platform}, {self.variant}"

    @property
    def axes(self) -> dict[str, str]:
        """Return the three values by the names of their axes."""
        return {"python": self.python, "platform": self.platform, "variant": self.variant}


class Skip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Leave cells of the matrix out, with a reason."""

    reason: str
    """Why these cells are not built; the grid shows it."""
    python: str | None = None
    """The Python and ABI tag of the cells, like "cp314-cp314t"; every one without it."""
    platform: str | None = None
    """The platform tag of the cells; every one without it."""
    variant: str | None = None
    """The variant of the cells, a word of a product that they have, or "generic"; every one without it."""

    def matches(self, cell: Cell) -> bool:
        """Return whether the cell is left out by this skip."""
        return (
            self.python in (None, cell.python)
            and self.platform in (None, cell.platform)
            and (self.variant is None or f".{self.variant}." in f".{cell.variant}.")
        )


class Matrix(msgspec.Struct, frozen=True):
    """The declared matrix: every python x every platform, in the generic build and in each variant.

    `variants` maps a variant's name to the platforms it is built for; `groups` are the axes that move together, which
    leave out the cells in which they do not. Declared order is kept everywhere. Raises UsageError for a group that
    names what the matrix does not have, shares an axis with another, or has a row without a cell.
    """

    python: tuple[str, ...]
    platform: tuple[str, ...]
    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    skips: tuple[Skip, ...] = ()
    groups: tuple[ZipGroup, ...] = ()

    def __post_init__(self) -> None:
        cells = len(self.python) * (len(self.platform) + sum(len(platforms) for _, platforms in self.variants))
        rules = 1 + len(self.skips) + sum(len(group.rows) for group in self.groups)
        if cells > _MOST_CELLS or cells * rules > _MOST_TESTS:
            raise UsageError(
                f"the matrix has {cells:,} cells and {rules - 1:,} skips and rows of zip, too many to look after",
                hint="declare fewer Pythons, platforms or variants",
            )
        known = {"python": self.python, "platform": self.platform,
                 "variant": (GENERIC, *(name for name, _ in self.variants))}  # fmt: skip
        seen: dict[str, int] = {}
        for number, group in enumerate(self.groups):
            for axis in group.axes:
                if axis in seen:
                    raise UsageError(
                        f"zip[{number}] has the axis {axis!r}, which zip[{seen[axis]}] has already",
                        hint="join the two groups, or take the axis out of one",
                    )
                seen[axis] = number
                odd = [value for value in group.values(axis) if value not in known.get(axis, group.values(axis))]
                if odd:
                    raise UsageError(
                        f"zip[{number}].{axis} names {odd[0]!r}, which the matrix does not have",
                        hint=f"it has {', '.join(known[axis])}",
                    )
        every = self.all_cells() if self.groups else ()
        for number, group in enumerate(self.groups):
            for place, row in enumerate(group.rows):
                if not any(group.row_of(cell.axes) == dict(group.lines(row)) for cell in every):
                    raise UsageError(
                        f"zip[{number}] row {place + 1} ({', '.join(row)}) matches no cell of the matrix",
                        hint="correct it, or the platforms of the variant",
                    )

    def all_cells(self) -> tuple[Cell, ...]:
        """Return every declared cell, skipped ones too: generic first, then the variants in their order."""
        return tuple(cell for cell in self._product() if not any(group.parts(cell.axes) for group in self.groups))

    def apart(self) -> frozenset[Cell]:
        """Return the cells that are none, for their axes do not move together."""
        return frozenset(cell for cell in self._product() if any(group.parts(cell.axes) for group in self.groups))

    def settings_of(self, cell: Cell) -> dict[str, str]:
        """Return what the groups say beyond the cell (a compiler, say): axis -> value, "" where no row has the cell."""
        found: dict[str, str] = {}
        for group in self.groups:
            row = group.row_of(cell.axes) or {}
            found |= {axis: row.get(axis, "") for axis in group.axes if axis not in CELL_AXES}
        return found

    def _product(self) -> Iterator[Cell]:
        for variant, platforms in [(GENERIC, self.platform), *self.variants]:
            for python, platform in product(self.python, platforms):
                yield Cell(python, platform, variant)

    def skip_of(self, cell: Cell) -> Skip | None:
        """Return the first skip that leaves the cell out."""
        return next((skip for skip in self.skips if skip.matches(cell)), None)

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells that must be filled."""
        return tuple(cell for cell in self.all_cells() if self.skip_of(cell) is None)


def fills(name: PlainName, variant: str, cell: Cell) -> bool:
    """Return whether the wheel, known to be of `variant`, serves the cell.

    abi3, `py3-none`, compressed tag sets and older manylinux tags cover what they cover; see
    `variant_publish.model.tags`.
    """
    return variant == cell.variant and any(tag_covers(tag, cell.python, cell.platform) for tag in name.tags)


def serves(name: PlainName, cell: Cell) -> bool:
    """Return whether a wheel of this name, of whatever variant, can be installed where a wheel of the cell can.

    Unlike `fills`, as installers have it: an older minimum version of macOS serves a newer one.
    """
    return any(
        _python_serves(tag.interpreter, tag.abi, cell.python)
        and (cell.platform == "any" or platform_serves(tag.platform, cell.platform))
        for tag in name.tags
    )


def own_platforms(name: PlainName) -> tuple[str, ...]:
    """Return the platforms of the name in modern spelling, without those that another member covers already."""
    found = dict.fromkeys(map(modern_platform, name.platform))
    return tuple(one for one in found if not any(other != one and platform_covers(other, one) for other in found))


def own_pythons(name: PlainName) -> tuple[str, ...]:
    """Return the pythons of the name ("cp312-cp312"); Python 2 only where there is nothing else."""
    pythons = tuple(f"{python}-{abi}" for python, abi in product(name.python, name.abi))
    return tuple(python for python in pythons if python[2:3] != "2") or pythons


def found_matrix(wheels: Iterable[tuple[PlainName, str]]) -> Matrix:
    """Return the rectangle that the wheels span, each given with its variant; generic is always a column.

    An older libc, `any` and abi3 are folded into what they cover where the other wheels are narrower, so that a
    generic `py3-none-any` beside compiled variants makes no holes. A variant's column has the platforms for which
    it has a wheel at all.
    """
    given = list(wheels)
    columns: dict[str, list[PlainName]] = {GENERIC: []}
    for name, variant in given:
        columns.setdefault(variant, []).append(name)
    every = sorted({platform for name, _ in given for platform in own_platforms(name)}, key=natural_key)
    platforms = tuple(one for one in every if not any(other != one and platform_covers(one, other) for other in every))
    pythons = {python for name, _ in given for python in own_pythons(name)}
    kept = [python for python in pythons if not _is_folded(python, pythons, list(columns.values()))]
    built = {
        variant: tuple(
            one for one in platforms if any(platform_covers(own, one) for name in names for own in name.platform)
        )
        for variant, names in columns.items()
        if variant != GENERIC
    }
    return Matrix(tuple(sorted(kept, key=natural_key)), platforms, tuple(built.items()))


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by which cp39 comes before cp310."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.split(r"([0-9]+)", text) if part)


def _python_serves(interpreter: str, abi: str, cell: str) -> bool:
    """Return whether the tags serve the cell; a cell like "cp39-abi3" or "py3-none" is served by any later CPython."""
    own, _, own_abi = cell.partition("-")
    if own_abi in ("abi3", "none") and python_covers(own, own_abi, f"{interpreter}-{abi}"):
        return True
    return python_covers(interpreter, abi, cell)


def _is_folded(python: str, pythons: Collection[str], columns: Iterable[list[PlainName]]) -> bool:
    interpreter, _, abi = python.partition("-")
    if abi == "none" and f"{interpreter}-{interpreter}" in pythons:
        return True  # one interpreter, spelled in two ways: torch has cp312-none for macOS and cp312-cp312 elsewhere
    if not any(other != python and python_covers(interpreter, abi, other) for other in pythons):
        return False
    return any(names and not any(python in own_pythons(name) for name in names) for names in columns)
