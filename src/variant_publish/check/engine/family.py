"""Projects that belong together, as one value: which releases, what each has of the others' matrix, and their grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import product
from typing import Any, Self

import msgspec
from packaging.utils import canonicalize_name

from variant_publish.check.engine.grid import Entry, Grid, State
from variant_publish.config.tables import FamilySkip, FamilyTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError
from variant_publish.model.matrix import Cell, found_matrix, serves
from variant_publish.model.variant import GENERIC
from variant_publish.release.release import Release


class Column(msgspec.Struct, frozen=True):
    """One variant of one member, and its wheels."""

    release: Release
    variant: str
    wheels: tuple[WheelName, ...]

    @property
    def project(self) -> str:
        """Return the name of the member."""
        return self.release.project

    def __str__(self) -> str:
        return self.project if self.variant == GENERIC else f"{self.project} {self.variant}"

    def files_for(self, python: str, platform: str) -> tuple[str, ...]:
        """Return wheels that a machine of this row can use; an older minimum version of macOS serves a newer one."""
        cell = Cell(python, platform, self.variant)
        return tuple(str(name) for name in self.wheels if serves(name.plain, cell))

    def claims(self, python: str, platform: str) -> bool:
        """Return whether a wheel was built for this row; one for `any` platform serves it and asks nothing."""
        cell = Cell(python, platform, self.variant)
        return any(name.platform != ("any",) and serves(name.plain, cell) for name in self.wheels)

    def has_platform(self, platform: str) -> bool:
        """Return whether there is a wheel for the platform at all."""
        return any(serves(name.plain, Cell(python, platform, self.variant)) for name in self.wheels
                   for python in (f"{tag.interpreter}-{tag.abi}" for tag in name.tags))  # fmt: skip


class Family(msgspec.Struct, frozen=True, dict=True):
    """The members that were checked, sorted by project, and the names of all that were declared.

    Where one project is there in two versions, or one member alone, the rules but VP801 have nothing to compare.
    """

    members: tuple[Release, ...]
    names: tuple[str, ...]
    skips: tuple[FamilySkip, ...] = ()

    @classmethod
    def of(cls, releases: Iterable[Release], table: FamilyTable | None, *, asked: bool) -> Self | None:
        """Pick the members: those that the configuration names, else, where a family is asked for, all releases.

        Raises UsageError where one is asked for on the command line and there is one project only.
        """
        found = tuple(releases)
        named = tuple(map(canonicalize_name, table.members)) if table is not None else ()
        if not named and not asked:
            return None
        names = named or tuple(dict.fromkeys(release.project for release in found))
        if asked and not named and len(names) < 2:
            raise UsageError(
                f"a family has two projects or more, and {names[0] if names else 'none'} was named alone",
                hint="name the others too, as folders or NAME==VERSION",
            )
        members = tuple(release for release in found if release.project in names)
        return cls(members, names, () if table is None else table.skip)

    @property
    def is_whole(self) -> bool:
        """Return whether there are at least two members, each in one version."""
        return 1 < len(self.members) == len({member.project for member in self.members})

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the declared members that were not checked."""
        there = {member.project for member in self.members}
        return tuple(name for name in self.names if name not in there)

    def member(self, project: str) -> Release | None:
        """Return the member of a normalised name."""
        return next((member for member in self.members if member.project == project), None)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return every variant of every member that has wheels."""
        return tuple(
            Column(member, variant, tuple(wheel.name for wheel in member.wheels
                                          if member.variant_of(wheel.name) == variant))
            for member in self.members
            for variant in member.variants
        )  # fmt: skip

    def siblings(self, column: Column) -> tuple[Column, ...]:
        """Return the columns of other members in the same variant."""
        return tuple(
            other for other in self.columns if other.variant == column.variant and other.project != column.project
        )

    @cached_property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the pythons and platforms for which a member has a wheel, as one matrix of all their wheels."""
        matrix = found_matrix((name.plain, str(column)) for column in self.columns for name in column.wheels)
        rows = tuple(product(matrix.python, matrix.platform))
        return tuple(row for row in rows if any(column.claims(*row) for column in self.columns)) or rows

    def wanted(self, column: Column) -> Iterator[tuple[str, str]]:
        """Return the rows that a sibling was built for and this column does not fill."""
        for row in self.rows:
            if not column.files_for(*row) and any(other.claims(*row) for other in self.siblings(column)):
                yield row

    def skip_of(self, column: Column, python: str, platform: str) -> FamilySkip | None:
        """Return the first declared skip that leaves the cell out."""
        return next((skip for skip in self.skips if matches(skip, column, python, platform)), None)

    def lacking(self, member: Release) -> tuple[str, ...]:
        """Return the variants that other members have and this one has not."""
        variants = dict.fromkeys(column.variant for column in self.columns if column.variant != GENERIC)
        return tuple(variant for variant in variants if variant not in member.variants)

    @cached_property
    def grid(self) -> Grid:
        """Return grid: a column for each member and variant, MISSING where siblings have a wheel on its platforms."""
        entries = tuple(self._entry(column, *row) for column in self.columns for row in self.rows)
        return Grid(self.rows, tuple(map(str, self.columns)), (None,), entries, declared=False)

    @property
    def title(self) -> str:
        """Return the members in words."""
        return ", ".join(f"{member.project} {member.version}" for member in self.members)

    @property
    def sizes(self) -> dict[str, int]:
        """Return the size of each wheel."""
        return {wheel.filename: wheel.size for member in self.members for wheel in member.wheels}

    def table(self) -> dict[str, Any]:
        """Return the JSON object; a grid entry has the column as its variant, and no dialect."""
        entries = [{key: value for key, value in entry.items() if key != "dialect"} for entry in self.grid.table()]
        return {
            "members": [{"project": member.project, "version": str(member.version)} for member in self.members],
            "absent": list(self.absent),
            "columns": list(self.grid.columns),
            "grid": entries,
        }

    def _entry(self, column: Column, python: str, platform: str) -> Entry:
        cell = Cell(python, platform, str(column))
        if files := column.files_for(python, platform):
            return Entry(cell, None, State.PRESENT, files)
        if (python, platform) not in set(self.wanted(column)):
            return Entry(cell, None, State.UNDECLARED)
        if skip := self.skip_of(column, python, platform):
            return Entry(cell, None, State.SKIPPED, reason=skip.reason)
        state = State.MISSING if column.has_platform(platform) else State.UNDECLARED
        return Entry(cell, None, state)


def matches(skip: FamilySkip, column: Column, python: str, platform: str) -> bool:
    """Return whether every key of the skip that is set is that of the cell."""
    project = None if skip.project is None else canonicalize_name(skip.project)
    wanted = (project, skip.python, skip.platform, skip.variant)
    found = (column.project, python, platform, column.variant)
    return all(want in (None, value) for want, value in zip(wanted, found, strict=True))
