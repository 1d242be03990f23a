"""Layout of text for terminals: tables and paragraphs that break between words, and never inside a name."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

import click

_LEAST = 24
"""The fewest columns for a last column that is wrapped; with less room, rows are stacked."""


def columns(*, err: bool = False) -> int | None:
    """Return the width of the terminal; None where stdout (or stderr) is a log, whose lines may have any length."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else None


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
    if not kept:
        return ""
    head, body = [header[place] for place in kept], [[row[place] for place in kept] for row in rows]
    *widths, last = (max(map(_width, cells)) for cells in zip(head, *body, strict=True))
    lead = sum(widths) + 2 * len(widths)
    word = max((_width(word) for row in body for word in row[-1].split()), default=0)
    if width is not None and lead + (min(last, max(word, _LEAST)) if widths else last) > width:
        return "\n".join(_stacked(head, row, width) for row in body)
    room = None if width is None or not widths else width - lead
    lines = []
    for row in ([name and click.style(name, dim=True) for name in head], *body):
        cells = [*(cell.split("\n") for cell in row[:-1]), paragraph(row[-1], width=room).split("\n")]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = (part + " " * (size - _width(part)) for part, size in zip(parts, widths, strict=False))
            lines.append("  ".join((*padded, parts[-1])).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """Return the columns that text takes: two for a wide character; of lines, the longest."""
    plain = click.unstyle(text)
    if plain.isascii() and "\n" not in plain:
        return len(plain)
    lines = plain.split("\n")
    return max(sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line) for line in lines)


def short_names(names: Sequence[str]) -> list[str]:
    """Return names of wheels without the distribution and version that all of them share, and without the suffix."""
    prefixes = {"-".join(name.split("-", 2)[:2]) + "-" for name in names if name.endswith(".whl")}
    if len(prefixes) != 1:
        return list(names)
    cut = slice(len(*prefixes), -len(".whl"))
    return [name[cut] if name.endswith(".whl") else name for name in names]


def _stacked(head: Sequence[str], row: Sequence[str], width: int) -> str:
    cells = [(name, click.unstyle(cell)) for name, cell in zip(head[1:], row[1:], strict=True) if cell]
    rest = ", ".join(f"{name}: {cell}" if name else cell for name, cell in cells)
    return "\n".join([*([row[0]] if row[0] else []), paragraph(rest, first=" " * 4, rest=" " * 6, width=width)])
