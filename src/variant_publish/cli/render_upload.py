"""How plans and results of an upload look."""

from __future__ import annotations

import click

from variant_publish.api import PlannedUpload
from variant_publish.cli.console import console
from variant_publish.config import UploadTable
from variant_publish.project_page import view_command
from variant_publish.publish.apply import Published
from variant_publish.site import readable_size


def show_plan(planned: PlannedUpload) -> None:
    """Draw what goes where, and why."""
    from rich.table import Table

    plan = planned.plan
    table = Table(title=f"{plan.project} {plan.version}", title_justify="left")
    for name in ("file", "goes to", "why", "action"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for item in plan.placements:
        table.add_row(item.file, str(item.destination), item.reason, str(item.action), readable_size(item.size))
    for view in planned.views:
        for own in (own.placement for own in view.own):
            table.add_row(own.file, f"view {view.name}", own.reason, str(own.action), readable_size(own.size))
        for name in view.links:
            table.add_row(name, f"view {view.name}", "serves those whom the variant does not", "link", "")
    console().print(table)
    click.echo(f"extra index: {plan.extra_index}")
    click.echo(f"repository:  {plan.repository or 'none'}")
    for view in planned.views:
        click.echo(f"view {view.name}: {view.store.describe()}")
    if plan.selectors:
        click.echo(f"selectors:   {', '.join(plan.selectors)}")


def show_published(published: Published, settings: UploadTable, project: str) -> None:
    """Say what was done."""
    if not published.changed:
        click.echo("nothing to do: everything is published already")
    else:
        click.echo(f"{len(published.sent)} files sent, {len(published.skipped)} there already")
        click.echo(f"{len(published.pages)} index pages written")
    for view in published.views:
        if view.changed:
            click.echo(f"view {view.name}: {len(view.sent)} files sent, {len(view.pages)} pages written")
    if settings.public_url:
        click.echo(f"users: pip install --extra-index-url {settings.public_url} ...")
    for view in published.views:
        click.echo(f"users of {view.name}: {view_command(project, view.address)}")
