"""The only module that prints: people read stderr, machines read stdout, and neither gets control characters."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from variant_publish.archive.atomic import replacing
from variant_publish.model.safe_text import for_terminal, visible, without_colours
from variant_publish.progress import Advance

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from variant_publish.check.engine.report import Report

_DELAY = 1.0
"""Seconds before work is worth a progress line."""


def echo(text: object = "", *, err: bool = False, bold: bool = False) -> None:
    """Print lines for people."""
    safe = for_terminal(str(text))
    _print(click.style(safe, bold=True) if bold else safe, err=err)


def echo_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, mark: Sequence[bool] = ()) -> None:
    """Print a table for people, with the rows in bold that `mark` says."""
    from variant_publish.cli import layout

    safe = [[visible(cell, keep="\n") for cell in row] for row in rows]
    if mark:
        styles = zip(safe, mark, strict=True)
        safe = [[click.style(cell, bold=True) if one and cell else cell for cell in row] for row, one in styles]
    _print(layout.table(header, safe, width=layout.columns()))


def echo_report(report: Report) -> None:
    """Print the report of a check for people."""
    from variant_publish.cli import layout  # neither is needed by commands that print no table
    from variant_publish.cli.render_check import render_text

    try:
        "✔".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        ascii_only = True
    else:
        ascii_only = False
    _print(render_text(report, ascii_only=ascii_only, width=layout.columns()))


def echo_document(text: str) -> None:
    """Print a document of a format as it is: its renderer has escaped what the format needs escaped."""
    click.echo(text, nl=False)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout, in ASCII."""
    import json

    click.echo(json.dumps(data, indent=2))


_LONGEST = 2_000
"""Characters of one message."""


def say(kind: str, message: str, hint: str | None = None, *, colour: str = "red") -> None:
    """Print one error or warning on stderr, and below it what to do; further lines of a message are marked.

    What is longer than anybody reads is cut off: names and texts of others may be in it.
    """
    for word, text, tint in ((kind, message, colour), (" hint", hint, "cyan")):
        if text:
            text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
            first, *others = [visible(without_colours(line)) for line in text.split("\n")]
            _print(_wrapped(first, click.style(f"{word}: ", fg=tint, bold=True)), err=True)
            for line in others:
                _print(_wrapped(line, "  | "), err=True)


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as stream:
        stream.write(text.encode())


class ConsoleReporter:
    """Show notes, warnings and one progress line on stderr; no progress where stderr is not a terminal."""

    def note(self, message: str) -> None:
        """Print a line."""
        echo(_wrapped(without_colours(message)), err=True)

    def warn(self, message: str) -> None:
        """Print a warning."""
        say("warning", message, colour="yellow")

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show how far this and other work has come, in one line, once it takes more than a second."""
        if not sys.stderr.isatty():
            yield lambda count: None
            return
        work = _Work(label, total)
        _LINE.add(work)
        try:
            yield lambda count: _LINE.advance(work, count)
        finally:
            _LINE.remove(work)


class _Work:
    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.done = label, total, 0


class _ProgressLine:
    """The one line that shows all work under way, from whichever thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.work: list[_Work] = []
        self.begun = 0.0
        self.bar: tuple[Progress, TaskID] | None = None

    def add(self, work: _Work) -> None:
        with self.lock:
            self.begun = self.begun if self.work else time.monotonic()
            self.work.append(work)

    def advance(self, work: _Work, count: int) -> None:
        with self.lock:
            work.done += count
            if time.monotonic() - self.begun >= _DELAY:
                self.bar = self.bar or _bar()
                more = f" and {len(self.work) - 1} more" if len(self.work) > 1 else ""
                totals = [work.total for work in self.work]
                self.bar[0].update(
                    self.bar[1],
                    description=visible(self.work[-1].label) + more,
                    completed=sum(work.done for work in self.work),
                    total=sum(filter(None, totals)) if None not in totals else None,
                )
                self.bar[0].start()

    def remove(self, work: _Work) -> None:
        with self.lock:
            self.work.remove(work)
            if not self.work:
                self.clear()

    def clear(self) -> None:
        """Take the line away; the next advance draws it again."""
        with self.lock:
            if self.bar is not None:
                self.bar[0].stop()
                self.bar = None


def _bar() -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.table import Column

    name = TextColumn(
        "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
    )
    columns = (name, BarColumn(20), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True, expand=True)
    return progress, progress.add_task("", total=None)


_LINE = _ProgressLine()


def _wrapped(text: str, first: str = "") -> str:
    """Return text for stderr that breaks between words where that is a terminal."""
    if not sys.stderr.isatty():
        return first + text
    from variant_publish.cli import layout

    return layout.paragraph(text, first=first, rest="  ", width=layout.columns(err=True))


def _print(text: str, *, err: bool = False) -> None:
    _LINE.clear()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    click.echo(text, err=err, color=False if plain else None)
