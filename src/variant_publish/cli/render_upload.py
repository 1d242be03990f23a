"""How plans and results of an upload look."""

from __future__ import annotations

import click

from variant_publish.cli.console import console
from variant_publish.config import UploadTable
from variant_publish.publish.apply import Published
from variant_publish.publish.plan import Plan
from variant_publish.site import readable_size


def show_plan(plan: Plan) -> None:
    """Draw what goes where, and why."""
    from rich.table import Table

    table = Table(title=f"{plan.project} {plan.version}", title_justify="left")
    for name in ("file", "goes to", "why", "action"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for item in plan.placements:
        table.add_row(item.file, str(item.destination), item.reason, str(item.action), readable_size(item.size))
    console().print(table)
    click.echo(f"extra index: {plan.extra_index}")
    click.echo(f"repository:  {plan.repository or 'none'}")
    if plan.selectors:
        click.echo(f"selectors:   {', '.join(plan.selectors)}")


def show_published(published: Published, settings: UploadTable) -> None:
    """Say what was done."""
    if not published.changed:
        click.echo("nothing to do: everything is published already")
    else:
        click.echo(f"{len(published.sent)} files sent, {len(published.skipped)} there already")
        click.echo(f"{len(published.pages)} index pages written")
    if settings.public_url:
        click.echo(f"users: pip install --extra-index-url {settings.public_url} ...")
