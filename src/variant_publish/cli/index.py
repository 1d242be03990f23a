"""`variant-publish index`: look after what is published already."""

from __future__ import annotations

import json
import sys

import click
import msgspec

from variant_publish import api
from variant_publish.cli import render_index, render_upload
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.cli.options import note_no_repository, on_index, parse_release, with_destinations
from variant_publish.model.quantity import count

STATUSES = ("active", "archived", "deprecated")
TARGETS = click.argument("targets", nargs=-1, required=True, metavar="VERSION|FILE...")
PROJECT = click.argument("project", metavar="NAME")
FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the plan and take nothing away.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def command() -> None:
    """Look after an extra index: list, yank, verify, adopt, remove.

    Every command takes the index from the configuration, or from --extra-index.

    \b
    Example:
      variant-publish index list --extra-index s3://my-wheels/simple
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)


@command.command("list")
@click.argument("project", metavar="[NAME]", required=False)
@FORMAT
@on_index
def list_(settings: api.UploadTable, project: str | None, output: str) -> int:
    """List the projects, or the files of one.

    \b
    Examples:
      variant-publish index list
      variant-publish index list foo --format json
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if project is not None:
        index = api.list_files(settings, project)
        if output == "json":
            print_json(json.loads(index.dumps()))
        else:
            render_index.show_files(index)
        return 0
    names = api.list_projects(settings)
    if output == "json":
        print_json({"schema-version": 1, "projects": list(names)})
    else:
        echo("\n".join(names) or "the index lists no projects")
    return 0


@command.command()
@PROJECT
@TARGETS
@click.option("--reason", default="", help="What is wrong with it; installers show this.")
@on_index
def yank(settings: api.UploadTable, project: str, targets: tuple[str, ...], reason: str) -> int:
    """Hide files from new choices; those who pin them still get them (PEP 592).

    \b
    Example:
      variant-publish index yank foo 1.0.1 --reason "wrong CUDA version in METADATA"
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    render_index.show_written(api.yank(settings, project, targets, reason))
    return 0


@command.command()
@PROJECT
@TARGETS
@on_index
def unyank(settings: api.UploadTable, project: str, targets: tuple[str, ...]) -> int:
    """Undo a yank.

    \b
    Example:
      variant-publish index unyank foo 1.0.1
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    render_index.show_written(api.unyank(settings, project, targets))
    return 0


@command.command()
@PROJECT
@click.argument("state", type=click.Choice(STATUSES), required=False)
@click.option("--reason", default="", help="Why; index clients show this.")
@on_index
def status(settings: api.UploadTable, project: str, state: str | None, reason: str) -> int:
    """Show the status of a project (PEP 792), or set it: archived (no new files), deprecated, or active again.

    \b
    Example:
      variant-publish index status foo deprecated --reason "use bar"
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if state is None:
        index = api.list_files(settings, project)
        echo(f"{index.status or 'active'}{f': {index.status_reason}' if index.status_reason else ''}")
    else:
        render_index.show_written(api.set_status(settings, project, state, reason))
    return 0


@command.command("verify")
@click.argument("projects", nargs=-1, metavar="[NAME]...")
@click.option("--deep", is_flag=True, help="Read every file and compare its hash.")
@click.option("--repair", is_flag=True, help="Rewrite the pages that differ from their masters.")
@FORMAT
@on_index
def verify_(settings: api.UploadTable, projects: tuple[str, ...], deep: bool, repair: bool, output: str) -> int:
    """Check that every listed file is there and every page equals its master. Exit code 1: something is wrong.

    \b
    Examples:
      variant-publish index verify
      variant-publish index verify foo --deep --repair
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    found = api.verify(settings, projects, deep=deep, repair=repair, reporter=ConsoleReporter())
    if output == "json":
        print_json(found.table())
    else:
        render_index.show_verified(found)
    return 0 if found.is_sound else 1


@command.command()
@click.argument("project", metavar="[NAME]", required=False)
@click.option("--hash", "hash_all", is_flag=True, help="Read the files whose hash neither pages nor the store have.")
@on_index
def adopt(settings: api.UploadTable, project: str | None, hash_all: bool) -> int:
    """Make an index of a bucket of wheels, or of pages that another tool wrote; no wheel is downloaded.

    \b
    Examples:
      variant-publish index adopt --extra-index s3://my-wheels/simple
      variant-publish index adopt foo --hash
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    for found in api.adopt(settings, project, hash_all=hash_all, reporter=reporter):
        files, pages = count(len(found.files), "file"), count(len(found.written), "page")
        echo(f"{found.project}: {files}, {pages} written")
        if found.unhashed:
            missing = count(len(found.unhashed), "file")
            reporter.warn(f"{found.project}: no hash is known of {missing}; --hash reads them")
    return 0


@command.command()
@PROJECT
@TARGETS
@click.option("--force", is_flag=True, help="Remove even what another release on this index pins.")
@DRY_RUN
@YES
@on_index
def remove(
    settings: api.UploadTable, project: str, targets: tuple[str, ...], force: bool, dry_run: bool, yes: bool
) -> int:
    """Remove files for good, from the pages first; their names can never be used again. A yank is mostly better.

    \b
    Example:
      variant-publish index remove foo 1.0.1 --dry-run
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    plan = api.plan_removal(settings, project, targets)
    render_index.show_removal(plan)
    if dry_run:
        return 0
    if plan.files and (not plan.pins or force):
        _ask(f"Remove {count(len(plan.files), 'file')} for good?", yes)
    render_index.show_written(api.remove(settings, plan, force=force))
    return 0


@command.command()
@click.argument("projects", nargs=-1, metavar="[NAME]...")
@click.option("--keep", type=click.IntRange(min=0), metavar="COUNT", help="Keep the newest COUNT nightly releases.")
@click.option("--days", type=click.IntRange(min=0), metavar="DAYS", help="Keep what is younger than DAYS.")
@click.option("--uploads", type=click.IntRange(min=0), metavar="DAYS", help="Abort uploads begun DAYS ago.")
@click.option("--stages", type=click.IntRange(min=0), metavar="DAYS", help="Remove stages untouched for DAYS.")
@DRY_RUN
@YES
@on_index
def gc(
    settings: api.UploadTable, projects: tuple[str, ...], keep: int | None, days: int | None, uploads: int | None,
    stages: int | None, dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Remove old nightly releases (versions with .devN) that nobody pins, and unfinished work.

    Unfinished are uploads that were cut off (--uploads), and stages that nobody has released (--stages).

    \b
    Examples:
      variant-publish index gc foo --keep 10 --days 30 --dry-run
      variant-publish index gc --uploads 7 --stages 30 --yes
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    plan = api.plan_cleanup(settings, api.CleanupRules(projects, keep, days, uploads, stages))
    render_index.show_cleanup(plan)
    if dry_run or not plan:
        return 0
    releases, cut_off = count(len(plan.removals), "release"), count(len(plan.uploads), "upload")
    _ask(f"Remove {releases} and {count(len(plan.stages), 'stage')}, and abort {cut_off}?", yes)
    api.clean_up(settings, plan)
    return 0


@command.command()
@click.argument("releases", nargs=-1, required=True, metavar="NAME==VERSION...")
@click.option("--to", required=True, metavar="s3://BUCKET/PREFIX|file:DIR", help="The index that gets the releases.")
@with_destinations
@click.option("--dry-run", is_flag=True, help="Print the plan and copy nothing.")
@YES
@FORMAT
def promote(
    releases: tuple[str, ...], to: str, config: api.Config, settings: api.UploadTable, no_repository: bool,
    dry_run: bool, yes: bool, output: str,
) -> int:  # fmt: skip
    """Copy releases from one index to another, as from test to release; --extra-index names the first.

    The store copies the files, each of which is read once and compared with the index before anything is listed; the
    repository gets its share. Nothing is built or sent again. A yank goes along. Running it again changes nothing.

    \b
    Examples:
      variant-publish index promote foo==1.0 --extra-index s3://my-wheels/test --to s3://my-wheels/simple --dry-run
      variant-publish index promote foo==1.0 foo-plugin==1.0 --extra-index file:test --to file:index --yes
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    note_no_repository(settings, no_repository, reporter)
    plan = api.plan_promotion(
        [parse_release(text) for text in releases], settings.extra_index, config,
        msgspec.structs.replace(settings, extra_index=to), reporter,
    )  # fmt: skip
    if output == "text":
        for item in plan.plans:
            render_upload.show_plan(item)
    if plan and not dry_run:
        _ask(f"Promote {count(len(plan.plans), 'release')}?", yes)
    done = () if dry_run else api.promote(plan, reporter)
    if output == "json":
        tables = [{**item.table(), "published": None} for item in plan.plans]
        for table, result in zip(tables, done, strict=False):
            table["published"] = result.table()
        print_json({"schema-version": 1, "dry-run": dry_run, "origin": plan.origin, "releases": tables})
    else:
        for item, result in zip(plan.plans, done, strict=False):
            render_upload.show_published(item, result, plan.settings)
    return int(not all(result.is_complete for result in done))


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise api.UsageError("nobody is there to say yes", hint="use --yes, or --dry-run to see the plan")
    click.confirm(question, abort=True, err=True)
