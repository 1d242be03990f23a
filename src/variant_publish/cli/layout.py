"""Layout of text for terminals: tables and paragraphs that break between words, and never inside a name."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click

_NO_LIMIT = 10_000
_LEAST = 24
"""The fewest columns for a last column that is wrapped; with less room, rows are stacked."""
_TRAILING = re.compile(r" +(\x1b\[0m)?$", re.MULTILINE)


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
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept = [place for place in range(len(header)) if keep or any(row[place] for row in rows)]
    if not kept:
        return ""
    head, body = [header[place] for place in kept], [[row[place] for place in kept] for row in rows]
    drawn, needed = Table.grid(padding=(0, 2, 0, 0)), 0
    for place, cells in enumerate(zip(head, *body, strict=True)):
        is_last = place == len(kept) - 1 > 0
        texts = [click.unstyle(cell) for cell in cells]
        whole = max(map(cell_len, texts))
        word = max((cell_len(word) for text in texts for word in text.split()), default=0)
        least = min(whole, max(word, _LEAST)) if is_last else whole
        drawn.add_column(no_wrap=not is_last, min_width=least)
        needed += least if is_last else least + 2
    for row in ([click.style(name, dim=True) for name in head], *body):
        drawn.add_row(*map(Text.from_ansi, row))
    console = Console(width=width or _NO_LIMIT, force_terminal=True, color_system="standard", highlight=False)
    if width is not None and needed > width:
        return "\n".join(_stacked(head, row, width) for row in body)
    with console.capture() as capture:
        console.print(drawn)
    return _TRAILING.sub(r"\1", capture.get().rstrip("\n"))


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
