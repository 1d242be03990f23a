"""The report of a check as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

import click

from variant_publish.check.engine.grid import State
from variant_publish.check.engine.rule import Severity, Verdict
from variant_publish.cli import layout
from variant_publish.model.matrix import Cell
from variant_publish.model.quantity import count
from variant_publish.model.safe_text import for_terminal, visible

if TYPE_CHECKING:
    from variant_publish.check.engine.grid import Entry, Grid
    from variant_publish.check.engine.report import Finding, Ignored, Report

_MARKS: Mapping[State, tuple[str, str, str]] = {
    State.PRESENT: ("✔", "ok", "green"),
    State.MISSING: ("✘", "MISSING", "red"),
    State.SKIPPED: ("–", "skip", "yellow"),  # noqa: RUF001  (a dash is meant)
    State.EXTRA: ("+", "EXTRA", "magenta"),
    State.UNDECLARED: ("·", ".", "white"),
}
"""How a state looks: as a sign, as a word where the terminal has only ASCII, and its colour, which is never all."""

_WIDEST = 160
"""Columns of a grid in a file or a log; a wider one is turned."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def render_text(report: Report, *, ascii_only: bool = False, width: int | None = None) -> str:
    """Return grids, findings grouped by rule, and a closing line with the counts, all styled."""
    parts = []
    for release in report.releases:
        declared = "" if release.grid.declared else ", no matrix declared"
        title = f"{release.project} {release.version} ({count(len(release.wheels), 'wheel')}{declared})"
        parts.append(_grid(title, release.grid, ascii_only, width))
    if report.family is not None:
        parts.append(_grid(f"the family: {report.family.title}", report.family.grid, ascii_only, width))
    unread = sorted((finding for finding in report.findings if finding.is_unread), key=_why)
    listed = (finding for finding in report.findings if not finding.is_unread)
    for (_, id_), findings in groupby(listed, key=lambda found: (found.severity, found.id)):
        parts.append("\n".join(_group(id_, list(findings), report, width)))
    for _, findings in groupby(unread, key=_why):
        parts.append("\n".join(_unread(list(findings), width)))
    proven = [
        layout.paragraph(visible(text), first="✔ " if not ascii_only else "ok ", rest="  ", width=width)
        for text in report.proven
    ]
    closing = [*proven, *(_ignored(item, width) for item in report.ignored), _closing(report, width)]
    return "\n\n".join([*parts, "\n".join(closing)])


def _grid(title: str, grid: Grid, ascii_only: bool, width: int | None) -> str:
    limit = (width or _WIDEST) - 2
    drawn = _wide(grid, ascii_only)
    if max(map(len, click.unstyle(drawn).split("\n")), default=0) > limit:
        drawn = "\n".join(_narrow(grid, ascii_only, limit))
    indented = "\n".join(f"  {line}" if line else "" for line in drawn.split("\n"))
    return "\n".join([click.style(visible(title), bold=True), indented, *_legend(grid, ascii_only, width)])


def _wide(grid: Grid, ascii_only: bool) -> str:
    """Return the grid as it is declared: a row for each Python and platform, a column for each variant."""
    rows, before = [], None
    for python, platform in grid.rows:
        cells = [_mark(grid.at(Cell(python, platform, variant)), ascii_only) for variant in grid.columns]
        rows.append(["" if python == before else python, platform, *cells])
        before = python
    return layout.table(["python", "platform", *map(visible, grid.columns)], rows, keep=True)


def _narrow(grid: Grid, ascii_only: bool, width: int) -> Iterator[str]:
    """Return a table for each platform, with a row for each variant and a column for each Python."""
    platforms: dict[str, list[str]] = {}
    for python, platform in grid.rows:
        platforms.setdefault(platform, []).append(python)
    alike = all(len({entry.state for entry in entries}) == 1 for _, entries in grid.by_cell())
    for platform, pythons in platforms.items():
        if platform != next(iter(platforms)):
            yield ""
        rows = []
        for variant in grid.columns:
            entries = [grid.at(Cell(python, platform, variant)) for python in pythons]
            for place, dialect in enumerate(grid.dialects[:1] if alike else grid.dialects):
                marks = [_mark(found[place : place + 1], ascii_only) for found in entries]
                rows.append(["" if place else visible(variant), "" if alike else str(dialect), *marks])
        yield layout.table([visible(platform), "", *map(_short, pythons)], rows, width=width)


def _short(python: str) -> str:
    interpreter, _, abi = python.partition("-")
    return interpreter if interpreter == abi else python


def _mark(entries: tuple[Entry, ...], ascii_only: bool) -> str:
    """Return one sign where the dialects agree, else one for each with the dialect's name."""
    alike = len({entry.state for entry in entries}) == 1
    shown = []
    for entry in entries[:1] if alike else entries:
        sign, word, colour = _MARKS[entry.state]
        shown.append(click.style(word if ascii_only else sign, fg=colour) + ("" if alike else f" {entry.dialect}"))
    return ", ".join(shown)


def _legend(grid: Grid, ascii_only: bool, width: int | None) -> Iterator[str]:
    states = {entry.state for entry in grid.entries}
    shown = [(word if ascii_only else sign, state) for state, (sign, word, _) in _MARKS.items() if state in states]
    yield layout.paragraph("   ".join(f"{sign} {state.value}" for sign, state in shown), width=width)
    skipped = (entry.reason for entry in grid.entries if entry.state is State.SKIPPED and entry.reason)
    for reason in dict.fromkeys(skipped):
        yield layout.paragraph(visible(reason), first="skipped: ", rest="  ", width=width)
    for group in grid.groups:
        yield layout.paragraph(visible(str(group)), first="together: ", rest="  ", width=width)


def _group(id_: str, findings: list[Finding], report: Report, width: int | None) -> Iterator[str]:
    severity, failed = findings[0].severity, any(finding.verdict is Verdict.FAIL for finding in findings)
    promoted = severity is not Severity.ERROR or not failed
    as_error = f" (an error by --fail-on {report.fail_on})" if promoted and any(map(report.is_error, findings)) else ""
    word, colour = (severity.value, _COLOURS[severity]) if failed else (Verdict.UNKNOWN.value, "magenta")
    heading = click.style(f"{word} {id_}", fg=colour, bold=failed)
    text = f"({count(len(findings), 'finding')}){as_error}"
    yield layout.paragraph(text, first=f"{heading} ", rest="  ", width=width)
    for finding in findings:
        unknown = "unknown: " if failed and finding.verdict is Verdict.UNKNOWN else ""
        text = f"{finding.file}: {unknown}{finding.message}" if finding.file else f"{unknown}{finding.message}"
        yield layout.paragraph(for_terminal(visible(text)), first="  ", rest="    ", width=width)
    for hint in dict.fromkeys(finding.hint for finding in findings if finding.hint):
        yield _hint(hint, width)


def _hint(hint: str, width: int | None) -> str:
    """Return a hint below its finding; the lines of a table that it shows stay lines, each indented."""
    text = visible(hint, keep="\n")
    return click.style(layout.paragraph(text, first="  hint: ", rest="    ", width=width), dim=True)


def _unread(findings: list[Finding], width: int | None) -> Iterator[str]:
    """Say once what keeps several rules from running."""
    heading = click.style(f"unknown ({count(len(findings), 'rule')})", fg="magenta")
    text = f"{visible(findings[0].message)}: {', '.join(dict.fromkeys(finding.id for finding in findings))}"
    yield layout.paragraph(text, first=f"{heading} ", rest="  ", width=width)
    if hint := findings[0].hint:
        yield _hint(hint, width)


def _why(finding: Finding) -> tuple[str, str]:
    return finding.message, finding.hint or ""


def _ignored(item: Ignored, width: int | None) -> str:
    where = "".join(f" in {name}" for name in (item.ignore.file, item.ignore.variant) if name)
    found = count(len(item.findings), "finding") if item.findings else "nothing, take it out of the configuration"
    text = visible(f"ignored {item.ignore.id}{where}: {found} ({item.ignore.reason})")
    return click.style(layout.paragraph(text, rest="  ", width=width), dim=True)


def _closing(report: Report, width: int | None) -> str:
    numbers = [
        count(report.count(Severity.ERROR), "error"),
        count(report.count(Severity.WARNING), "warning"),
        count(report.count(Severity.INFO), "note"),
    ]
    checked = f"{count(sum(len(release.wheels) for release in report.releases), 'wheel')} checked: "
    rest = f"; {report.counts.passed} passed, {report.counts.skipped} skipped, {report.undecided} unknown"
    coloured = click.style(", ".join(numbers), fg="red" if report.exit_code() else "green", bold=True)
    return layout.paragraph(checked + coloured + rest, rest="  ", width=width)
