"""The report of a check as one self-contained page: the matrix as a heat map, and findings that can be sorted."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

import msgspec

from variant_publish.check.engine.grid import Entry, Grid, State
from variant_publish.check.engine.registry import rule
from variant_publish.check.engine.report import Finding, Report
from variant_publish.check.engine.rule import Severity, Verdict
from variant_publish.model.matrix import Cell
from variant_publish.model.quantity import count, readable_size
from variant_publish.model.safe_text import visible
from variant_publish.templating import render_template

_WORST = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_SIGNS = {
    State.PRESENT: "✔",
    State.MISSING: "✘",
    State.SKIPPED: "–",  # noqa: RUF001  (a dash is meant)
    State.EXTRA: "+",
    State.UNDECLARED: "·",
}
_WORDS = {"error": "error", "warning": "warning", "info": "note"}
_CHANGE = re.compile(r"(?:^|\s)([+-])\s+(?=[A-Za-z0-9])")
_SHADES = 5
_FAMILY = "VP8"


class _Tile(msgspec.Struct, frozen=True):
    """One cell of the heat map: `tone` is its colour, `shade` grows with the size of the wheel."""

    sign: str
    tone: str
    shade: int
    size: str
    count: str
    title: str
    state: str


class _Heat(msgspec.Struct, frozen=True):
    """One heat map: its rows are (python, platform, tiles)."""

    title: str
    grid: Grid
    rows: list[tuple[str, str, list[_Tile]]]


class _Line(msgspec.Struct, frozen=True):
    """One finding as the table shows it; `rank` sorts by severity."""

    rank: int
    word: str
    id: str
    place: str
    message: str
    hint: str
    changes: tuple[tuple[str, str], ...] = ()
    more: str = ""


class _RuleText(msgspec.Struct, frozen=True):
    """What a rule that found something is for."""

    id: str
    title: str
    why: str


def render_html(report: Report) -> str:
    """Render the page; equal reports give equal bytes."""
    return render_template(
        "check/report.html",
        releases=report.releases,
        heats=_heats(report),
        lines=_lines(report),
        rules=[_rule_text(id_) for id_ in sorted({finding.id for finding in report.findings})],
        number=count,
        ignored=report.ignored,
        counts=report.counts,
        failed={severity.value: report.count(severity) for severity in Severity},
        exit_code=report.exit_code(),
        fail_on=report.fail_on,
        signs=[(sign, state.value) for state, sign in _SIGNS.items()],
    )


def _heats(report: Report) -> list[_Heat]:
    """Return the heat maps: of each release, then of the family."""
    found = []
    for release in report.releases:
        title = f"{release.project} {release.version}"
        own = [one for one in report.findings if not one.id.startswith(_FAMILY) and one.release in ("", title)]
        own += [one for one in report.findings if one.id.startswith(_FAMILY) and one.file is not None]
        found.append(_heat(f"{title}: the matrix", release.grid, release.sizes, own))
    if report.family is not None:
        own = [one for one in report.findings if one.id.startswith(_FAMILY)]
        found.append(_heat(f"The family: {report.family.title}", report.family.grid, report.family.sizes, own))
    return found


def _heat(title: str, grid: Grid, sizes: Mapping[str, int], findings: Sequence[Finding]) -> _Heat:
    largest = max(sizes.values(), default=0)
    rows = []
    for python, platform in grid.rows:
        cells = [Cell(python, platform, variant) for variant in grid.columns]
        rows.append((python, platform, [_tile(grid, sizes, cell, findings, largest) for cell in cells]))
    return _Heat(title, grid, rows)


def _tile(grid: Grid, sizes: Mapping[str, int], cell: Cell, findings: Sequence[Finding], largest: int) -> _Tile:
    entries = grid.at(cell)
    files = list(dict.fromkeys(file for entry in entries for file in entry.files))
    mine = [found for found in findings if found.cell == cell or (found.file is not None and found.file in files)]
    size = sum(sizes.get(file, 0) for file in files)
    state = _state(entries)
    worst = next((severity.value for severity in _WORST if any(_is(found, severity) for found in mine)), "")
    if not worst and any(found.verdict is Verdict.UNKNOWN for found in mine):
        worst = "unknown"
    why = dict.fromkeys(entry.reason for entry in entries if entry.reason)
    parts = [f"{cell}: {state.value}", *why, *files, *(f"{found.id} {found.message}" for found in mine)]
    title = "\n".join(map(visible, parts))
    shade = 1 + (_SHADES - 1) * size // largest if size and largest else 0
    tone = worst or state.name.lower()
    words = count(len(mine), _WORDS.get(worst, "finding")) if mine else ""
    return _Tile(_SIGNS[state], tone, shade, readable_size(size) if size else "", words, title, state.value)


def _state(entries: tuple[Entry, ...]) -> State:
    """Return the state that matters most where the dialects differ."""
    order = (State.MISSING, State.EXTRA, State.PRESENT, State.SKIPPED, State.UNDECLARED)
    return min((entry.state for entry in entries), key=order.index, default=State.UNDECLARED)


def _is(finding: Finding, severity: Severity) -> bool:
    return finding.verdict is Verdict.FAIL and finding.severity is severity


def _lines(report: Report) -> list[_Line]:
    """Return the findings, and one line for all rules that too little was read for."""
    unread = [finding for finding in report.findings if finding.is_unread]
    lines = [_line(finding) for finding in report.findings if not finding.is_unread]
    for message, hint in dict.fromkeys((finding.message, finding.hint or "") for finding in unread):
        ids = sorted({finding.id for finding in unread if (finding.message, finding.hint or "") == (message, hint)})
        what = f"{visible(message)}, too little for {', '.join(ids)}"
        lines.append(_Line(3, "unknown", ids[0], "", what, visible(hint), more=f"and {len(ids) - 1} more"))
    return lines


def _rule_text(id_: str) -> _RuleText:
    own = rule(id_)
    return _RuleText(id_, own.title, inspect.cleandoc(type(own).__doc__ or "").partition("\n\n")[0].replace("\n", " "))


def _changes(message: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return a message and the requirements that it lists as more (+) and less (-), apart."""
    head, colon, tail = message.partition(": ")
    parts = _CHANGE.split(tail)
    if not colon or len(parts) < 3 or parts[0].strip():
        return message, ()
    return f"{head}:", tuple(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def _line(finding: Finding) -> _Line:
    message, changes = _changes(visible(finding.message))
    unknown = finding.verdict is Verdict.UNKNOWN
    return _Line(
        3 if unknown else _WORST.index(finding.severity),
        "unknown" if unknown else finding.severity.value,
        finding.id,
        visible(finding.file or (str(finding.cell) if finding.cell else "")),
        message,
        visible(finding.hint or "", keep="\n"),
        changes,
    )
