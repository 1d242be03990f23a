"""Show the report of a check to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from variant_publish.check.engine.grid import Entry, Grid, State
from variant_publish.check.engine.registry import rule
from variant_publish.check.engine.report import Finding, Ignored, Report
from variant_publish.check.engine.rule import Severity, Verdict
from variant_publish.model.matrix import Cell

_MARKS: Mapping[State, tuple[str, str, str]] = {
    State.PRESENT: ("✔", "ok", "green"),
    State.MISSING: ("✘", "MISSING", "bold red"),
    State.SKIPPED: ("–", "skip", "yellow"),  # noqa: RUF001  (a dash is meant)
    State.EXTRA: ("+", "EXTRA", "bold magenta"),
    State.UNDECLARED: ("·", ".", "dim"),
}
"""How a state looks: as a sign, as a word where the terminal knows ASCII only, and its colour; none tells by colour."""

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def render_text(report: Report, console: Console) -> None:
    """Print grids, findings grouped by rule, and a closing line with the counts."""
    ascii_only = console.options.ascii_only
    for release in report.releases:
        declared = "" if release.grid.declared else ", no matrix declared"
        title = f"{release.project} {release.version} ({_number(len(release.wheels), 'wheel')}{declared})"
        console.print(_grid(title, release.grid, ascii_only), soft_wrap=False)
        console.print(_legend(release.grid, ascii_only))
        console.print()
    if report.family is not None:
        console.print(_grid(f"the family: {report.family.title}", report.family.grid, ascii_only), soft_wrap=False)
        console.print(_legend(report.family.grid, ascii_only))
        console.print()
    for (_, id_), findings in groupby(report.findings, key=lambda found: (found.severity, found.id)):
        for line in _group(id_, list(findings), report.strict):
            console.print(line, soft_wrap=True)
        console.print()
    for item in report.ignored:
        console.print(_ignored(item), soft_wrap=True)
    console.print(_closing(report), soft_wrap=True)


def _grid(title: str, grid: Grid, ascii_only: bool) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.ASCII if ascii_only else box.SIMPLE)
    table.add_column("python", no_wrap=True)
    table.add_column("platform", overflow="fold")
    for variant in grid.columns:
        table.add_column(variant, justify="center", overflow="fold")
    before = None
    for python, platform in grid.rows:
        cells = [_mark(grid.at(Cell(python, platform, variant)), ascii_only) for variant in grid.columns]
        table.add_row("" if python == before else python, platform, *cells)
        before = python
    return table


def _mark(entries: tuple[Entry, ...], ascii_only: bool) -> Text:
    """Return one sign where the dialects agree, else one for each with the dialect's name."""
    alike = len({entry.state for entry in entries}) == 1
    text = Text()
    for entry in entries[:1] if alike else entries:
        sign, word, style = _MARKS[entry.state]
        text.append(word if ascii_only else sign, style)
        text.append("" if alike else f" {entry.dialect}\n")
    text.rstrip()
    return text


def _legend(grid: Grid, ascii_only: bool) -> Text:
    states = {entry.state for entry in grid.entries}
    parts = [
        f"{word if ascii_only else sign} {state.value}" for state, (sign, word, _) in _MARKS.items() if state in states
    ]
    text = Text("   ".join(parts))
    skipped = (entry.reason for entry in grid.entries if entry.state is State.SKIPPED and entry.reason)
    for reason in dict.fromkeys(skipped):
        text.append(f"\nskipped: {reason}")
    for group in grid.groups:
        text.append(f"\ntogether: {group}")
    return text


def _group(id_: str, findings: list[Finding], strict: bool) -> Iterable[Text]:
    severity, failed = findings[0].severity, any(finding.verdict is Verdict.FAIL for finding in findings)
    as_error = " (an error by --strict)" if strict and failed and severity is Severity.WARNING else ""
    word, colour = (severity.value, _COLOURS[severity]) if failed else (Verdict.UNKNOWN.value, "magenta")
    yield Text.assemble((f"{word} {id_}", colour), f" {rule(id_).title}{as_error}")
    for finding in findings:
        unknown = "unknown: " if failed and finding.verdict is Verdict.UNKNOWN else ""
        yield Text(f"  {finding.file}: {unknown}{finding.message}" if finding.file else f"  {unknown}{finding.message}")
    for hint in dict.fromkeys(finding.hint for finding in findings if finding.hint):
        yield Text(f"  hint: {hint}", "dim")


def _ignored(item: Ignored) -> Text:
    where = "".join(f" in {name}" for name in (item.ignore.file, item.ignore.variant) if name)
    count = _number(len(item.findings), "finding") if item.findings else "nothing, take it out of the configuration"
    return Text(f"ignored {item.ignore.id}{where}: {count} ({item.ignore.reason})", "dim")


def _closing(report: Report) -> Text:
    wheels = sum(len(release.wheels) for release in report.releases)
    counts = report.counts
    numbers = [
        _number(report.failed(Severity.ERROR), "error"),
        _number(report.failed(Severity.WARNING), "warning"),
        _number(report.failed(Severity.INFO), "note"),
    ]
    text = Text(f"{_number(wheels, 'wheel')} checked: ")
    text.append(", ".join(numbers), "bold red" if report.exit_code() else "bold green")
    text.append(f"; {counts.passed} passed, {counts.skipped} skipped, {counts.unknown} unknown")
    return text


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
