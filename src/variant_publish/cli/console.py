"""Consoles of the command line: people read stderr, machines read stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from variant_publish.progress import Advance

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class ConsoleReporter:
    """Show notes, warnings and progress bars on stderr; no bar where stderr is no terminal."""

    def note(self, message: str) -> None:
        """Print a line."""
        err.print(message, markup=False)

    def warn(self, message: str) -> None:
        """Print a warning."""
        err.print(f"warning: {message}", style="yellow", markup=False)

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show a bar while a file is copied or sent; small files do not flicker."""
        if not err.is_terminal:
            yield lambda count: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda count: progress.advance(task, count)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
