"""How an index, and what is done to it, look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from variant_publish.cli.console import console
from variant_publish.model.quantity import count, readable_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from variant_publish.api import IndexCleanup
    from variant_publish.formats.simple import ProjectIndex
    from variant_publish.index.verify import Verified
    from variant_publish.index.yank import Removal


def show_files(index: ProjectIndex) -> None:
    """Draw the files of a project."""
    from rich.table import Table

    table = Table(title=f"{index.name}, generation {index.generation}", title_justify="left")
    for name in ("file", "lies", "uploaded", "yanked"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for file in index.files:
        size = readable_size(file.size) if file.size is not None else ""
        place = "elsewhere" if "://" in file.url else "here"
        yanked = "" if file.yanked is None else file.yanked or "yes"
        table.add_row(file.filename, place, (file.upload_time or "")[:10], yanked, size)
    console().print(table)


def show_written(keys: Sequence[str]) -> None:
    """Print how many pages changed."""
    click.echo(f"{count(len(keys), 'index page')} written" if keys else "nothing to do: it is so already")


def show_verified(found: Verified) -> None:
    """Print what was compared, and everything that is wrong."""
    for trouble in found.troubles:
        state = "repaired" if trouble.key in found.mended else "error"
        click.echo(f"{state}: {trouble.key} {trouble.what}")
    for key in found.unlisted:
        click.echo(f"note: no page lists {key}")
    counts = (len(found.projects), "project"), (found.files, "file"), (len(found.troubles), "problem")
    summary = ", ".join(count(number, noun) for number, noun in counts)
    click.echo(summary if found.troubles else f"{summary}: the index is sound")
    if not found.is_sound and any(item.is_mendable and item.key not in found.mended for item in found.troubles):
        click.echo("--repair rewrites the pages")


def show_removal(plan: Removal) -> None:
    """Print what would be removed."""
    for file in plan.files:
        click.echo(f"remove {file.filename}")
    click.echo(f"{count(len(plan.files), 'file')}, {readable_size(plan.size)}")
    for pin in plan.pins:
        click.echo(f"pinned by {pin}")


def show_cleanup(plan: IndexCleanup) -> None:
    """Print what would be removed, and what stays although it is old."""
    for removal in plan.removals:
        what = f"{count(len(removal.files), 'file')}, {readable_size(removal.size)}"
        click.echo(f"remove {removal.project} {', '.join(removal.versions)}: {what}")
    for version, pin in plan.kept:
        click.echo(f"keep {version}: pinned by {pin}")
    for pending in plan.uploads:
        click.echo(f"abort the upload of {pending.key}, begun {pending.begun}")
    for name in plan.stages:
        click.echo(f"remove the stage {name}, which nobody released")
    if not plan:
        click.echo("nothing to do")
