"""`variant-publish upload`."""

from __future__ import annotations

from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli import render_upload
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.cli.logs import show_logs
from variant_publish.cli.options import note_no_repository, with_destinations
from variant_publish.model.quantity import count


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@with_destinations
@click.option("--views", metavar="s3://BUCKET/PREFIX|file:DIR", help="Where each variant gets an index for plain pip.")
@click.option("--views-url", metavar="URL", help="Where users will find the views.")
@click.option(
    "--stage", metavar="RELEASE", help="Put them where testers find them; 'release RELEASE' makes them public."
)
@click.option("--run", is_flag=True, help="With --stage: import the wheels of this system, as 'check --run' does.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
@click.option("-v", "--verbose", count=True, help="Show every request; -vv: how it is signed, answered, tried again.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    folder: Path, config: api.Config, settings: api.UploadTable, no_repository: bool, stage: str | None, run: bool,
    dry_run: bool, output: str, verbose: int,
) -> int:  # fmt: skip
    """Publish the release in FOLDER: generic wheels to the repository, the rest to the extra index.

    With --views, each variant also gets an index of its own, as a local version that plain pip prefers (1.0+cu128).
    The plan is shown, then carried out. A second run changes nothing and says so; after a kill it finishes the work.
    With --stage the files of a release that is made on many machines come together at an address of their own.

    \b
    Examples:
      variant-publish upload wheelhouse --dry-run
      variant-publish upload wheelhouse --extra-index s3://my-wheels/simple --repository pypi
      variant-publish upload wheelhouse --extra-index file:index --no-repository
      variant-publish upload wheelhouse --extra-index s3://my-wheels/simple --views s3://my-wheels/views
      variant-publish upload wheelhouse --stage foo-1.0
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    show_logs(verbose)
    reporter = ConsoleReporter()
    if stage is not None:
        if dry_run:
            raise api.UsageError(
                "--stage has no --dry-run", hint="see what has arrived by 'variant-publish release --status'"
            )
        return _stage(folder, stage, config, settings, reporter, output, run=run)
    if run:
        raise api.UsageError("--run is for --stage", hint="run the wheels by 'variant-publish check FOLDER --run'")
    note_no_repository(settings, no_repository, reporter)
    planned = api.plan_upload([folder], config, settings, reporter)
    tables, codes = [], []
    for item in planned:
        if output == "text":
            render_upload.show_plan(item)
        published = None if dry_run else api.upload(item, reporter)
        if published is not None and output == "text":
            render_upload.show_published(item, published, settings)
        tables.append({**item.table(), "published": published.table() if published else None})
        codes.append(0 if published is None or published.is_complete else 1)
    if output == "json":
        print_json({"schema-version": 1, "dry-run": dry_run, "releases": tables})
    return max(codes)


def _stage(
    folder: Path,
    name: str,
    config: api.Config,
    settings: api.UploadTable,
    reporter: ConsoleReporter,
    output: str,
    *,
    run: bool,
) -> int:
    sent, report = api.stage([folder], name, config, settings, reporter, run=run)
    if output == "json":
        print_json({"schema-version": 1, "stage": name, **sent.table(), "findings": report.table()["findings"]})
        return 0 if sent.is_complete else 1
    for finding in report.findings:
        reporter.warn(f"{finding.id} {finding.file}: {finding.message}")
    echo(f"staged for {name}: {count(len(sent.sent), 'file')} sent, {len(sent.skipped)} already there")
    if sent.address and not any(one.fault for one in sent.uploads):
        echo(f"testers: pip install --extra-index-url {sent.address} ...")
    for view in sent.views:
        if view.command:
            echo(f"testers of {view.name}: {view.command}")
    return 0 if sent.is_complete else 1
