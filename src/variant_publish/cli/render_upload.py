"""How plans and results of an upload look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from variant_publish.cli.console import console
from variant_publish.cli.render_check import render_text
from variant_publish.config.tables import UploadTable
from variant_publish.model.quantity import readable_size

if TYPE_CHECKING:
    from variant_publish.api import PlannedRelease
    from variant_publish.publish.upload_plan import UploadPlan
    from variant_publish.publish.uploader import UploadResult


def show_plan(plan: UploadPlan) -> None:
    """Draw what goes where, and why."""
    from rich.table import Table

    table = Table(title=f"{plan.project} {plan.version}", title_justify="left")
    for name in ("file", "goes to", "why", "action"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for item in plan.placements:
        table.add_row(item.file, str(item.destination), item.reason, str(item.transfer), readable_size(item.size))
    for view in plan.views:
        for item in (own.placement for own in view.own):
            table.add_row(item.file, f"view {view.name}", item.reason, str(item.transfer), readable_size(item.size))
        for name in view.links:
            table.add_row(name, f"view {view.name}", "serves those whom the variant does not", "link", "")
    console().print(table)
    click.echo(f"extra index: {plan.inventory.extra_index}")
    click.echo(f"repository:  {plan.inventory.repository or 'none'}")
    for view in plan.views:
        click.echo(f"view {view.name}: {view.place}")
    if plan.selectors:
        click.echo(f"selectors:   {', '.join(plan.selectors)}")


def show_published(published: UploadResult, settings: UploadTable) -> None:
    """Print what was done."""
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
        click.echo(f"users of {view.name}: {view.command}")


def show_staged(found: PlannedRelease, *, plans: bool) -> None:
    """Print how far a staged release has come, what the rules say of it, and with `plans` what goes where."""
    staged = found.staged
    size = sum(summary.size for _, summary in staged.summaries)
    click.echo(f"{staged.name}: {staged.state.status}, {len(staged.summaries)} files, {readable_size(size)}")
    for file in staged.late:
        click.echo(f"{file} came too late, and is not part of it")
    if staged.is_released:
        click.echo("nothing to do: everything is listed already")
        return
    render_text(found.report, console())
    for item in found.planned if plans else ():
        show_plan(item)
    if plans and not found.planned:
        click.echo("nothing is listed: mend what is an error above, stage it, and run the command again")


def staged_table(found: PlannedRelease, published: tuple[UploadResult, ...]) -> dict[str, Any]:
    """Return the JSON document of a staged release."""
    return {
        "schema-version": 1,
        "stage": found.staged.name,
        "status": found.staged.state.status.value,
        "files": [summary.file for _, summary in found.staged.summaries],
        "late": list(found.staged.late),
        "check": found.report.table(),
        "releases": [item.table() for item in found.planned],
        "published": [result.table() for result in published],
    }
