"""The matrix of a release as a grid: which cell is filled, by which wheel, in which dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import product
from typing import Any

import msgspec

from variant_publish.archive.wheel import Wheel
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import DIALECTS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.model.matrix import Cell, Matrix, ZipGroup, fills, found_matrix, own_platforms, own_pythons
from variant_publish.model.variant import GENERIC
from variant_publish.release.release import Release

_APART = "its axes move together with others"


class State(StrEnum):
    """Return what is known of a cell in one dialect."""

    PRESENT = "present"
    MISSING = "missing"
    SKIPPED = "skipped"
    UNDECLARED = "not declared"
    EXTRA = "extra"


class Entry(msgspec.Struct, frozen=True):
    """One cell in one dialect: its state, the wheels that fill it, and why it has to have none."""

    cell: Cell
    dialect: Dialect | None
    state: State
    files: tuple[str, ...] = ()
    reason: str | None = None

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        cell = {**self.cell.axes, "dialect": self.dialect and self.dialect.name}
        reason = {} if self.reason is None else {"reason": self.reason}
        return {**cell, "state": self.state.value, "files": list(self.files), **reason}


class Grid(msgspec.Struct, frozen=True, dict=True):
    """Rows (python, platform), columns (generic, then the variants) and an entry for each in each dialect.

    `declared` says whether the configuration has a matrix; without one the rows and columns are what was found, and
    MISSING is a hole in their rectangle. `groups` are the axes that move together.
    """

    rows: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    dialects: tuple[Dialect | None, ...]
    entries: tuple[Entry, ...]
    declared: bool
    extra: tuple[str, ...] = ()
    groups: tuple[ZipGroup, ...] = ()

    @classmethod
    def of_release(cls, release: Release) -> Grid:
        """Lay the wheels of a release into its matrix, declared or found."""
        return _Layout(release).grid()

    def at(self, cell: Cell) -> tuple[Entry, ...]:
        """Return the entries of a cell, one for each dialect."""
        return self._by_cell.get(cell, ())

    @cached_property
    def _by_cell(self) -> dict[Cell, tuple[Entry, ...]]:
        return dict(self.by_cell())

    def by_cell(self) -> Iterator[tuple[Cell, tuple[Entry, ...]]]:
        """Return every cell with its entries, column by column."""
        step = len(self.dialects)
        for start in range(0, len(self.entries), step):
            yield self.entries[start].cell, self.entries[start : start + step]

    def variants_at(self, cell: Cell) -> dict[str, set[Dialect | None]]:
        """Return the variants that have a wheel at the row of the cell, and in which dialects."""
        found: dict[str, set[Dialect | None]] = {}
        for variant in self.columns:
            for entry in self.at(Cell(cell.python, cell.platform, variant)):
                if variant != GENERIC and entry.files:
                    found.setdefault(variant, set()).add(entry.dialect)
        return found

    def table(self) -> list[dict[str, Any]]:
        """Return the JSON array of the entries."""
        return [entry.table() for entry in self.entries]


class _Layout:
    """Work out the grid of one release."""

    def __init__(self, release: Release) -> None:
        self.config = release.config
        self.wheels = [(wheel, release.variant_of(wheel.name)) for wheel in release.wheels]
        self.declared = self.config.matrix is not None
        self.matrix: Matrix = self.config.matrix or found_matrix(
            (wheel.name.plain, variant) for wheel, variant in self.wheels
        )
        self.cells = set(self.matrix.all_cells())
        self.apart = self.matrix.apart()
        found = {wheel.name.dialect for wheel, _ in self.wheels} - {None}
        named = self.config.dialects if self.declared else ()
        spoken = tuple(item for item in DIALECTS.values() if item in named or item in found)
        self.dialects: tuple[Dialect | None, ...] = spoken or self.config.dialects[:1]
        self.named = tuple(named)
        self.columns = tuple(dict.fromkeys((GENERIC, *(name for name, _ in self.matrix.variants), *release.variants)))

    def grid(self) -> Grid:
        extra = [
            (wheel, variant)
            for wheel, variant in self.wheels
            if self.declared and not self._is_of_matrix(wheel, variant)
        ]
        named = {(cell.python, cell.platform) for cell in self.cells}
        rows = [row for row in product(self.matrix.python, self.matrix.platform) if row in named]
        for wheel, variant in extra:
            if not any(fills(wheel.name.plain, variant, Cell(*row, variant)) for row in rows):
                rows += product(own_pythons(wheel.name.plain), own_platforms(wheel.name.plain))
        rows = list(dict.fromkeys(rows))
        names = {wheel.filename for wheel, _ in extra}
        entries = tuple(
            self._entry(Cell(*row, variant), dialect, names)
            for variant, row, dialect in product(self.columns, rows, self.dialects)
        )
        return Grid(tuple(rows), self.columns, self.dialects, entries, self.declared, tuple(sorted(names)),
                    self.matrix.groups)  # fmt: skip

    def _entry(self, cell: Cell, dialect: Dialect | None, extra: set[str]) -> Entry:
        files = tuple(
            wheel.filename
            for wheel, variant in self.wheels
            if speaks(wheel.name, dialect) and fills(wheel.name.plain, variant, cell)
        )
        if cell in self.cells and self._asks_for(cell.variant, dialect):
            if files:
                return Entry(cell, dialect, State.PRESENT, files)
            skip = self.matrix.skip_of(cell)
            if skip is not None:
                return Entry(cell, dialect, State.SKIPPED, reason=skip.reason)
            return Entry(cell, dialect, State.MISSING)
        if not files:
            return Entry(cell, dialect, State.UNDECLARED, reason=_APART if cell in self.apart else None)
        return Entry(cell, dialect, State.EXTRA if extra.intersection(files) else State.PRESENT, files)

    def _asks_for(self, variant: str, dialect: Dialect | None) -> bool:
        if self.named:
            return dialect in self.named
        return variant == GENERIC or any(
            wheel.name.dialect is dialect for wheel, other in self.wheels if other == variant
        )

    def _is_of_matrix(self, wheel: Wheel, variant: str) -> bool:
        spoken = wheel.name.dialect
        if spoken is not None and spoken not in self.named:
            return False
        return any(fills(wheel.name.plain, variant, cell) for cell in self.cells)


def speaks(name: WheelName, dialect: Dialect | None) -> bool:
    """Return whether the clients of a dialect read the wheel: its own ones, and every plain one."""
    return name.dialect in (None, dialect)


def lacking(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the dialects in which the cell is missing."""
    return tuple(str(entry.dialect) for entry in entries if entry.state is State.MISSING)


def in_dialects(missing: Sequence[object], entries: tuple[Entry, ...]) -> str:
    """Name the dialects that lack the cell where the release has several."""
    if len(entries) == 1:
        return ""
    return f" in dialect{'s' * (len(missing) > 1)} {' and '.join(map(str, missing))}"
