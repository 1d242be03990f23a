"""Axes of a matrix that move together, as conda-build's `zip_keys` has them: row by row, one value of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Self

import msgspec

from variant_publish.errors import UsageError

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
