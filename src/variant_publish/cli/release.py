"""`variant-publish release`."""

from __future__ import annotations

import click

from variant_publish import api
from variant_publish.cli import render_upload
from variant_publish.cli.check import with_fail_on
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.cli.logs import show_logs
from variant_publish.cli.options import note_no_repository, with_destinations
from variant_publish.model.quantity import count


@click.command()
@click.argument("name", metavar="RELEASE")
@with_destinations
@click.option("--status", "status_only", is_flag=True, help="Show what has arrived and what is missing, and exit.")
@click.option("--abort", is_flag=True, help="Remove the staged files; what an index page lists stays.")
@click.option("--dry-run", is_flag=True, help="Run the rules, print the plan, and list nothing.")
@click.option(
    "--trust-summaries",
    is_flag=True,
    help="Do not read the staged files: whoever may write to the stage can"
    " then publish any bytes under any METADATA and hash.",
)
@with_fail_on
@click.option("--offline", is_flag=True, help="Let the rules ask no other index: what needs one is then unknown.")
@click.option("-v", "--verbose", count=True, help="Show every request; -vv: how it is signed, answered, tried again.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    name: str, config: api.Config, settings: api.UploadTable, no_repository: bool, status_only: bool, abort: bool,
    dry_run: bool, fail_on: api.FailOn, offline: bool, trust_summaries: bool, verbose: int, output: str,
) -> int:  # fmt: skip
    """List the release whose files 'upload --stage RELEASE' has brought together, or nothing of it.

    The rules of 'check' run over the whole, by the summaries that lie beside the files. If they find no error, each
    file is read once and compared with its summary (see --trust-summaries), copied on the store, and each project's
    page changes once; then the repository gets its share. The same command again finishes what was cut off. Exit code
    1: the rules found an error, and nothing was listed.

    \b
    Examples:
      variant-publish release foo-1.0 --status
      variant-publish release foo-1.0
      variant-publish release foo-1.0 --abort
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    show_logs(verbose)
    if status_only and abort:
        raise api.UsageError("--status and --abort are two commands", hint="use one of them")
    if abort:
        gone = api.abort_staged(name, settings)
        echo(f"{name} is removed, with {count(len(gone), 'file')}")
        return 0
    reporter = ConsoleReporter()
    found = api.plan_staged(name, config, settings, reporter, fail_on=fail_on, offline=offline or status_only)
    code = found.report.exit_code()
    if not status_only:
        note_no_repository(settings, no_repository, reporter)
    if output == "text":
        render_upload.show_staged(found, plans=not status_only)
    goes = not (status_only or dry_run or code)
    published = api.release(found, reporter, trust_summaries=trust_summaries) if goes else ()
    if output == "text":
        for plan, result in zip(found.planned, published, strict=False):
            render_upload.show_published(plan, result, settings)
    else:
        print_json(render_upload.staged_table(found, published))
    return 0 if status_only else max(code, *(int(not result.is_complete) for result in published), 0)
