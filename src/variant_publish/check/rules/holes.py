"""Rules 3xx where no matrix is declared: what the wheels that are there suggest is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from variant_publish.archive.wheel import Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.grid import State, in_dialects, lacking
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Severity, some
from variant_publish.config.tables import TABLE
from variant_publish.model.interpreters import gets_releases, interpreter_exists, interpreter_of, is_for, is_tried_only
from variant_publish.model.matrix import Cell, serves
from variant_publish.model.tags import platform_serves
from variant_publish.model.variant import GENERIC

_DECLARED = "the matrix is declared: VP301 looks at it"


class NoHoles(ReleaseRule[Wheel]):
    """Report, where no matrix is declared, the holes in the rectangle that the wheels span.

    Rows are the pythons and platforms that were found, columns the variants, each on the platforms for which it has
    a wheel at all. A hole was probably forgotten. It is none where another wheel serves the cell (for an older macOS,
    or by abi3), where no such interpreter is distributed (PyPy for musl), and where the release has wheels for less
    than half of what the Python, or the platform, could have, abi3 not counted: that is support in part, on purpose.
    """

    id = "VP304"
    severity = Severity.WARNING
    hint = f"build it, or declare the wheels of the release in [{TABLE}.matrix]"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each cell, but for those that VP306 reports."""
        if context.grid.declared:
            yield Outcome.skipped(_DECLARED)
            return
        holes: dict[Cell, tuple[Cell, str]] = {}
        filled: set[Cell] = set()
        for cell, entries in context.grid.by_cell():
            missing, place = lacking(entries), replace(cell, python=interpreter_of(cell.python))
            if missing and (reason := _no_hole(context, cell)):
                yield Outcome.skipped(reason)
            elif missing and not _is_served(context, cell):
                holes[place] = cell, in_dialects(missing, entries)
            elif missing or any(entry.state is State.PRESENT for entry in entries):
                filled |= {place} if _is_served(context, cell, for_any=False) else set()
                yield Outcome.passed()
        there = Counter(line for place in filled for line in _lines(place))
        lacks = Counter(line for place in holes for line in _lines(place))
        partly = {line for line, count in lacks.items() if there[line] < count and there[line] + count > 2}
        real = {place: hole for place, hole in holes.items() if partly.isdisjoint(_lines(place))}
        yield from (
            Outcome.skipped("the release supports the Python, or the platform, in part") for _ in holes.keys() - real
        )
        for place, (cell, where) in real.items():
            if not any(_fills_too(other, place) for other in real):
                of = "" if cell.variant == GENERIC else f", variant {cell.variant!r}"
                yield self.failed(f"no wheel for {cell.python} on {cell.platform}{of}{where}", cell=cell)


class VariantOnAllPlatforms(ReleaseRule[Wheel]):
    """Report, where no matrix is declared, of platforms for which a variant has no wheel at all.

    That is mostly on purpose (there is no CUDA on macOS), so it is no warning; only a declared matrix can tell.
    """

    id = "VP305"
    severity = Severity.INFO
    hint = f"nothing to do if that is on purpose; [{TABLE}.matrix] says so"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant and platform."""
        grid = context.grid
        if grid.declared:
            yield Outcome.skipped(_DECLARED)
            return
        filled = {(cell.variant, cell.platform) for cell, entries in grid.by_cell() if any(e.files for e in entries)}
        platforms = dict.fromkeys(platform for _, platform in grid.rows)
        for variant in grid.columns:
            if variant == GENERIC:
                continue
            absent = [platform for platform in platforms if (variant, platform) not in filled]
            yield self.judged(absent, f"variant {variant!r} has no wheels for {some(absent)}")


def _no_hole(context: Context, cell: Cell) -> str:
    """Return why nobody misses a wheel for the cell, or ""."""
    if cell.variant == GENERIC and context.grid.variants_at(cell):
        return "VP306 looks at generic wheels where there are variants"
    if is_tried_only(cell.python):
        return "the interpreter is supported as far as it goes"
    if not gets_releases(cell.python):
        return "the interpreter gets no releases any more"
    return "" if interpreter_exists(cell.python, cell.platform) else "there is no such interpreter for the platform"


def _lines(cell: Cell) -> Iterable[tuple[str, str]]:
    """Return row and column of a cell, each within its variant."""
    return (cell.variant, cell.python), (cell.variant, cell.platform)


def _fills_too(other: Cell, cell: Cell) -> bool:
    """Return whether a wheel that fills another hole would fill this one: a hole is reported once, where it begins."""
    alike = other != cell and (other.variant, other.python) == (cell.variant, cell.python)
    return alike and platform_serves(other.platform, cell.platform)


def _is_served(context: Context, cell: Cell, *, for_any: bool = True) -> bool:
    """Return whether a wheel of the variant serves the cell: of an older macOS, another ABI of PyPy, any Python."""
    names = (wheel.name for wheel in context.release.wheels if context.release.variant_of(wheel.name) == cell.variant)
    return any(
        (for_any and serves(name.plain, cell))
        or any(
            is_for(tag.interpreter, tag.abi, cell.python) and platform_serves(tag.platform, cell.platform)
            for tag in name.tags
        )
        for name in names
    )
