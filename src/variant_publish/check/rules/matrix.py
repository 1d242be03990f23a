"""Rules 3xx: the release is complete: no cell is missing, none is there twice, everyone gets something."""

from __future__ import annotations

from collections.abc import Iterator

from variant_publish.archive.wheel import Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.grid import State, in_dialects, lacking, speaks
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Severity, some
from variant_publish.config.tables import TABLE
from variant_publish.dialects.base import Dialect
from variant_publish.model.matrix import Cell, Skip, own_platforms, own_pythons
from variant_publish.model.tags import modern_platform, platform_serves, python_covers
from variant_publish.model.variant import GENERIC

_NO_MATRIX = f"no [{TABLE}.matrix] is declared"


class DeclaredCells(ReleaseRule[Wheel]):
    """Prove that every declared cell has a wheel in each dialect that the configuration names.

    A cell that is left out by a skip with a reason is counted as skipped. abi3, `py3-none`, compressed tag sets and
    older manylinux tags fill what they cover.
    """

    id = "VP301"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each declared cell."""
        if not context.grid.declared:
            yield Outcome.skipped(_NO_MATRIX)
            return
        for cell, entries in context.grid.by_cell():
            if skip := next((entry for entry in entries if entry.state is State.SKIPPED), None):
                yield Outcome.skipped(f"{cell}: {skip.reason}")
            elif missing := lacking(entries):
                yield Outcome.failed(
                    f"no wheel for {cell}{in_dialects(missing, entries)}",
                    f"build it, or leave it out on purpose: {TABLE}.matrix.skip with a reason",
                    cell=cell,
                )
            elif any(entry.state is State.PRESENT for entry in entries):
                yield Outcome.passed()


class NoExtraWheels(ReleaseRule[Wheel]):
    """Prove that every wheel fills a cell of the declared matrix, in a dialect that the configuration names.

    A wheel outside it was built by a job that nobody declared, or its name is not what it should be.
    """

    id = "VP302"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel."""
        if not context.grid.declared:
            yield Outcome.skipped(_NO_MATRIX)
            return
        config = context.release.config
        for wheel in context.release.wheels:
            if wheel.filename not in context.grid.extra:
                yield Outcome.passed()
                continue
            name, variant = wheel.name, context.release.variant_of(wheel.name)
            cell = Cell(own_pythons(name.plain)[0], own_platforms(name.plain)[0], variant)
            hint = f"add its python and platform to [{TABLE}.matrix], or take the wheel away"
            if name.dialect is not None and name.dialect not in config.dialects:
                why = f"it is of dialect {name.dialect}, which the configuration does not name"
                hint = f'add "{name.dialect}" to {TABLE}.dialects, or take the wheel away'
            elif variant != GENERIC and variant not in config.variants:
                why = f"variant {variant!r} is not declared"
                hint = f"declare [{TABLE}.variants.{variant}], or take the wheel away"
            else:
                why = f"it fills no declared cell ({cell})"
            yield Outcome.failed(why, hint, file=wheel.filename, cell=cell)


class NoTwins(ReleaseRule[Wheel]):
    """Prove that no two wheels of one variant and dialect claim the same tag.

    Which of the two an installer takes is a matter of chance; of two build numbers it takes the higher one.
    """

    id = "VP303"
    hint = "keep one of the two"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield a failure for each pair of files, naming a tag that both have."""
        claims: dict[tuple[str, Dialect | None, Cell], str] = {}
        for wheel in context.release.wheels:
            name = wheel.name
            twins: dict[str, Cell] = {}
            for tag in sorted(name.tags, key=str):
                cell = Cell(f"{tag.interpreter}-{tag.abi}", modern_platform(tag.platform), name.variant)
                first = claims.setdefault((name.plain.build, name.dialect, cell), wheel.filename)
                if first != wheel.filename:
                    twins.setdefault(first, cell)
            for first, cell in twins.items():
                yield self.failed(f"it claims the same tag and variant as {first}", file=wheel.filename, cell=cell)
            if not twins:
                yield Outcome.passed()


class EveryoneGetsSomething(ReleaseRule[Wheel]):
    """Prove that there is a generic (or null) wheel wherever there is a variant.

    A machine that no variant fits is left with nothing otherwise. A null wheel counts in dialect pep825 only: clients
    of dialect plus do not read it.
    """

    id = "VP306"
    hint = "build the wheel without a variant too"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each python and platform that has a variant."""
        grid = context.grid
        if grid.columns == (GENERIC,):
            yield Outcome.skipped("the release has no variants")
            return
        for row in grid.rows:
            cell = Cell(*row, GENERIC)
            entries = grid.at(cell)
            variants = grid.variants_at(cell)
            if not variants:
                continue
            absent = next((entry for entry in entries if entry.state in (State.MISSING, State.SKIPPED)), None)
            if grid.declared and absent is not None:
                yield Outcome.skipped(absent.reason or "VP301 reports the cell")
                continue
            spoken = tuple(dialect for dialect in grid.dialects if any(dialect in found for found in variants.values()))
            missing = tuple(dialect for dialect in spoken if not _serves_everyone(context, cell, dialect))
            yield self.judged(
                missing,
                f"no generic wheel for {row[0]} on {row[1]}{in_dialects(missing, entries)}, which has {some(variants)}:"
                " a machine that no variant fits gets nothing",
                cell=cell,
            )


class LiveSkips(ReleaseRule[Wheel]):
    """Prove that every declared skip leaves out a declared cell that really has no wheel.

    A skip that matches nothing is a typing error or has outlived its reason, and the next one like it hides a hole.
    """

    id = "VP307"
    severity = Severity.WARNING
    hint = "correct its python, platform or variant, or take it out"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each skip."""
        matrix = context.release.config.matrix
        if matrix is None or not matrix.skips:
            yield Outcome.skipped("no skips are declared")
            return
        for number, skip in enumerate(matrix.skips):
            where = f"{TABLE}.matrix.skip[{number}] ({_fields(skip)}: {skip.reason})"
            cells = [cell for cell in matrix.all_cells() if skip.matches(cell)]
            if not cells:
                yield self.failed(f"{where} matches no cell of the matrix")
            elif all(self._is_filled(context, cell) for cell in cells):
                yield self.failed(
                    f"{where} leaves out nothing: every cell it matches has a wheel of its own",
                    hint="take the skip out, so that the cells are required from now on",
                )
            else:
                yield Outcome.passed()

    @staticmethod
    def _is_filled(context: Context, cell: Cell) -> bool:
        """Return whether wheels were built for the very cell: one that covers it by the way (abi3) does not count."""
        own = {
            wheel.filename
            for wheel in context.release.wheels
            if cell.python in own_pythons(wheel.name.plain)
            and modern_platform(cell.platform) in own_platforms(wheel.name.plain)
        }
        return all(own.intersection(entry.files) for entry in context.grid.at(cell))


def _serves_everyone(context: Context, cell: Cell, dialect: Dialect | None) -> bool:
    return any(
        wheel.name.serves_everyone
        and speaks(wheel.name, dialect)
        and any(
            python_covers(tag.interpreter, tag.abi, cell.python) and platform_serves(tag.platform, cell.platform)
            for tag in wheel.name.tags
        )
        for wheel in context.release.wheels
    )


def _fields(skip: Skip) -> str:
    return ", ".join(text for text in (skip.python, skip.platform, skip.variant) if text) or "everything"
