"""Consoles of the command line: people read stderr, machines read stdout.

rich is imported only where something is drawn: it costs more than the retagging of a small wheel.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from variant_publish.progress import Advance

if TYPE_CHECKING:
    from rich.console import Console


LOG_WIDTH = 160
"""Columns of tables that go to a file or to a CI log."""


def console(*, err: bool = False) -> Console:
    """Return a rich console for tables: on stdout, or on stderr; a log has room for long file names."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(stderr=err, highlight=False, width=None if stream.isatty() else LOG_WIDTH)


class ConsoleReporter:
    """Show notes, warnings and progress bars on stderr; no bar where stderr is no terminal."""

    def note(self, message: str) -> None:
        """Print a line."""
        click.echo(message, err=True)

    def warn(self, message: str) -> None:
        """Print a warning."""
        say("warning", message, colour="yellow")

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show a bar while a file is copied or sent."""
        if not sys.stderr.isatty():
            yield lambda count: None
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
        from rich.table import Column

        name = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
        columns = (name, BarColumn(20), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=console(err=True), transient=True, expand=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda count: progress.advance(task, count)


def say(kind: str, message: str, hint: str | None = None, *, colour: str = "red") -> None:
    """Print one error or warning on stderr, and below it what to do."""
    click.echo(click.style(f"{kind}: ", fg=colour, bold=True) + message, err=True)
    if hint:
        click.echo(click.style(" hint: ", fg="cyan", bold=True) + hint, err=True)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
