"""Layout of text for terminals: tables and paragraphs that break between words, and never inside a name."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

import click

GAP = "  "
LEAST = 24
"""The fewest columns in which the last column of a table is wrapped; with less room, rows are stacked."""


def columns() -> int | None:
    """Return the width of the terminal; None where stdout is a file or a log, whose lines may have any length."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def paragraph(text: str, *, first: str = "", rest: str = "", width: int | None = None) -> str:
    """Return text that begins with `first`, with further lines indented by `rest`; line breaks of the text stay."""
    if width is None:
        return first + f"\n{rest}".join(text.split("\n"))
    lines: list[str] = []
    for part in text.split("\n"):
        lead = rest if lines else first
        room = " " * len(click.unstyle(lead))
        wrapped = textwrap.wrap(
            part, width, initial_indent=room, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        ) or [room]
        lines += [lead + wrapped[0][len(room) :], *wrapped[1:]]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None, keep: bool = False) -> str:
    """Return rows below a header; cells may be styled. Columns that are empty in every row are left out, but to `keep`.

    Where the table is wider than the terminal, the last column is wrapped, or each row becomes lines of its own.
    """
    kept = [place for place in range(len(header)) if keep or any(row[place] for row in rows)]
    head = [header[place] for place in kept]
    body = [[row[place] for place in kept] for row in rows]
    if not kept:
        return ""
    sizes = [max(len(click.unstyle(cell)) for cell in column) for column in zip(head, *body, strict=True)]
    before = sum(sizes[:-1]) + len(GAP) * (len(sizes) - 1)
    if width is None or before + sizes[-1] <= width:
        return "\n".join([click.style(_line(head, sizes), dim=True), *(_line(row, sizes) for row in body)])
    longest = max((len(word) for row in body for word in click.unstyle(row[-1]).split()), default=0)
    if len(kept) > 1 and width - before >= max(LEAST, longest):
        lines = [_line([*row[:-1], ""], sizes) for row in body]
        wrapped = [
            paragraph(click.unstyle(row[-1]), first=_padded(line, before), rest=" " * before, width=width)
            for row, line in zip(body, lines, strict=True)
        ]
        return "\n".join([click.style(_line(head, sizes), dim=True), *(text.rstrip() for text in wrapped)])
    return "\n".join(_stacked(head, row, width) for row in body)


def _stacked(head: Sequence[str], row: Sequence[str], width: int) -> str:
    lines = [row[0]] if row[0] else []
    for name, cell in zip(head[1:], row[1:], strict=True):
        if cell:
            first = f"    {name}: " if name else "    "
            lines.append(paragraph(click.unstyle(cell), first=first, rest=" " * 6, width=width))
    return "\n".join(lines)


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    return GAP.join(_padded(cell, size) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def _padded(cell: str, size: int) -> str:
    return cell + " " * (size - len(click.unstyle(cell)))


def short_names(names: Sequence[str]) -> list[str]:
    """Return names of wheels without the distribution and version that all of them share, and without the suffix."""
    prefixes = {"-".join(name.split("-", 2)[:2]) + "-" for name in names if name.endswith(".whl")}
    if len(prefixes) != 1:
        return list(names)
    return [name.removeprefix(*prefixes).removesuffix(".whl") for name in names]
