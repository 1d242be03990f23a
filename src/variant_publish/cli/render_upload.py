"""Show plans and results of an upload."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from variant_publish.cli import layout
from variant_publish.cli.console import echo, echo_report, echo_table
from variant_publish.cli.layout import short_names
from variant_publish.config.tables import UploadTable
from variant_publish.model.quantity import count, readable_size

if TYPE_CHECKING:
    from variant_publish.api import PlannedRelease
    from variant_publish.publish.upload_plan import UploadPlan
    from variant_publish.publish.uploader import UploadResult


def show_plan(plan: UploadPlan) -> None:
    """Print what goes where, and why."""
    size = readable_size(sum(item.size for item in plan.placements))
    echo(f"{plan.project} {plan.version}: {count(len(plan.placements), 'file')}, {size}", bold=True)
    echo(f"extra index: {plan.inventory.extra_index}")
    echo(f"repository:  {plan.inventory.repository or 'none'}")
    for view in plan.views:
        echo(f"view {view.name}: {view.place}")
    if plan.selectors:
        echo(f"selectors:   {', '.join(plan.selectors)}")
    echo()
    placed = [(item, str(item.destination)) for item in plan.placements]
    placed += [(own.placement, f"view {view.name}") for view in plan.views for own in view.own]
    names = short_names([item.file for item, _ in placed])
    rows = [
        (name, place, str(item.transfer), readable_size(item.size))
        for name, (item, place) in zip(names, placed, strict=True)
    ]
    whys = [(place, item.reason) for item, place in placed]
    for view in plan.views:
        rows += [(name, f"view {view.name}", "link", "") for name in short_names(view.links)]
        whys += [(f"view {view.name}", "it serves those whom the variant does not")] * len(view.links)
    echo_table(("file", "goes to", "action", "size"), rows)
    echo()
    width = layout.columns()
    for (place, reason), files in Counter(whys).items():  # what many files share is said once
        echo(layout.paragraph(reason, first=f"{place}, {count(files, 'file')}: ", rest="  ", width=width))
    echo()


def show_published(plan: UploadPlan, published: UploadResult, settings: UploadTable) -> None:
    """Print what was done, and what users type."""
    if not published.changed:
        echo("nothing to do: everything is published already")
    else:
        copied = f"{len(published.copied)} copied on the store, " if published.copied else ""
        echo(f"{count(len(published.sent), 'file')} sent, {copied}{len(published.skipped)} already there")
        echo(f"{count(len(published.pages), 'index page')} written")
    for view in published.views:
        if view.changed:
            copied = f"{len(view.copied)} copied on the store, " if view.copied else ""
            sent, pages = count(len(view.sent), "file"), count(len(view.pages), "page")
            echo(f"view {view.name}: {sent} sent, {copied}{pages} written")
    if settings.public_url and not published.fault:
        echo(f"users: pip install --extra-index-url {settings.public_url} {plan.project}")
    for view in published.views:
        if view.command:
            echo(f"users of {view.name}: {view.command}")


def show_staged(found: PlannedRelease, *, plans: bool) -> None:
    """Print how far a staged release has come, what the rules say of it, and with `plans` what goes where."""
    staged = found.contents
    size = sum(summary.size for _, summary in staged.summaries)
    files = count(len(staged.summaries), "file")
    echo(f"{staged.state.name}: {staged.state.status}, {files}, {readable_size(size)}")
    for file in staged.late:
        echo(f"{file} came too late, and is not part of it")
    if staged.is_released:
        echo("nothing to do: everything is listed already")
        return
    echo_report(found.report)
    for item in found.planned if plans else ():
        show_plan(item)
    if plans and not found.planned:
        echo("nothing is listed: correct the errors above, stage the files, and run the command again")


def staged_table(found: PlannedRelease, published: tuple[UploadResult, ...]) -> dict[str, Any]:
    """Return the JSON document of a staged release."""
    return {
        "schema-version": 1,
        "stage": found.contents.state.name,
        "status": found.contents.state.status.value,
        "files": [summary.file for _, summary in found.contents.summaries],
        "late": list(found.contents.late),
        "check": found.report.table(),
        "releases": [item.table() for item in found.planned],
        "published": [result.table() for result in published],
    }
