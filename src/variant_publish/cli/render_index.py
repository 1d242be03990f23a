"""How an index, and what is done to it, look."""

from __future__ import annotations

from collections.abc import Sequence

import click

from variant_publish.cli.console import console
from variant_publish.formats.simple import ProjectIndex
from variant_publish.formats.size import readable_size
from variant_publish.index.verify import Verified
from variant_publish.index.yank import Removal
from variant_publish.store.objects import Pending


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
    """Return what was written."""
    click.echo(f"{len(keys)} index pages written" if keys else "nothing to do: it is so already")


def show_verified(found: Verified) -> None:
    """Return what was looked at, and everything that is wrong."""
    for trouble in found.troubles:
        state = "mended" if trouble.key in found.mended else "error"
        click.echo(f"{state}: {trouble.key} {trouble.what}")
    for key in found.unlisted:
        click.echo(f"note: {key} lies there and no page lists it")
    summary = f"{len(found.projects)} projects, {found.files} files, {len(found.troubles)} troubles"
    click.echo(summary if found.troubles else f"{summary}: the index is sound")
    if not found.is_sound and any(item.is_mendable and item.key not in found.mended for item in found.troubles):
        click.echo("pages can be mended with --repair")


def show_removal(plan: Removal) -> None:
    """Return what would be taken away."""
    for file in plan.files:
        click.echo(f"remove {file.filename}")
    click.echo(f"{len(plan.files)} files, {readable_size(plan.size)}")
    for pin in plan.pins:
        click.echo(f"pinned by {pin}")


def show_cleanup(
    removals: Sequence[Removal], kept: Sequence[tuple[str, str]], stale: Sequence[Pending], stages: Sequence[str]
) -> None:
    """Return what goes, and what stays although it is old."""
    for removal in removals:
        size = readable_size(removal.size)
        click.echo(f"remove {removal.project} {', '.join(removal.versions)}: {len(removal.files)} files, {size}")
    for version, pin in kept:
        click.echo(f"keep {version}: pinned by {pin}")
    for pending in stale:
        click.echo(f"end the upload of {pending.key}, begun {pending.begun}")
    for name in stages:
        click.echo(f"withdraw the staged release {name}, which was left alone")
    if not (removals or stale or stages):
        click.echo("nothing to do")
