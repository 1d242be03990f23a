"""`variant-publish index`: look after what is published already."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from variant_publish.cli import render_index
from variant_publish.cli.console import ConsoleReporter, print_json
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError
from variant_publish.formats.simple import STATUSES
from variant_publish.index import adopt as adoption
from variant_publish.index import retention, verify
from variant_publish.index import yank as withdrawal
from variant_publish.index.index import read_root
from variant_publish.publish import staging
from variant_publish.store.registry import open_store
from variant_publish.store.store import Store

TARGETS = click.argument("targets", nargs=-1, required=True, metavar="VERSION|FILE...")
PROJECT = click.argument("project", metavar="NAME")
FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the plan and take nothing away.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def command() -> None:
    """Look after an extra index: what it lists, and whether that is true.

    Every command takes the index from the configuration, or from --extra-index.

    \b
    Example:
      variant-publish index list --extra-index s3://my-wheels/simple
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)


def on_index(function: Callable[..., int]) -> Callable[..., int]:
    """Open the store that the options or the configuration name, and close it in the end."""

    @click.option("--extra-index", metavar="s3://BUCKET/PREFIX|file:DIR", help="Default: the configuration's.")
    @click.option("--endpoint-url", metavar="URL", help="An S3 endpoint other than Amazon's.")
    @click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
    @wraps(function)
    def wrapper(extra_index: str | None, endpoint_url: str | None, config_file: Path | None, **options: Any) -> int:
        upload = Config.load(config_file).upload
        store = open_store(extra_index or upload.extra_index, endpoint_url=endpoint_url or upload.endpoint_url)
        try:
            return function(store, **options)
        finally:
            store.close()

    return wrapper


@command.command("list")
@click.argument("project", metavar="[NAME]", required=False)
@FORMAT
@on_index
def list_(store: Store, project: str | None, output: str) -> int:
    """List the projects, or the files of one.

    \b
    Examples:
      variant-publish index list
      variant-publish index list foo --format json
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if project is None:
        root = read_root(store)
        names = list(root.names) if root is not None else []
        if output == "json":
            print_json({"schema-version": 1, "projects": names})
        else:
            click.echo("\n".join(names) or f"{store.describe()} lists nothing")
        return 0
    index = withdrawal.existing(store, project)
    if output == "json":
        click.echo(index.dumps(), nl=False)
    else:
        render_index.show_files(index)
    return 0


@command.command()
@PROJECT
@TARGETS
@click.option("--reason", default="", help="What is wrong with it; installers show this.")
@on_index
def yank(store: Store, project: str, targets: tuple[str, ...], reason: str) -> int:
    """Hide files from new choices; those who pin them still get them (PEP 592).

    \b
    Example:
      variant-publish index yank foo 1.0.1 --reason "wrong CUDA version in METADATA"
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    render_index.show_written(withdrawal.yank(store, project, targets, reason).written)
    return 0


@command.command()
@PROJECT
@TARGETS
@on_index
def unyank(store: Store, project: str, targets: tuple[str, ...]) -> int:
    """Take a yank back.

    \b
    Example:
      variant-publish index unyank foo 1.0.1
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    render_index.show_written(withdrawal.yank(store, project, targets, None).written)
    return 0


@command.command()
@PROJECT
@click.argument("status", type=click.Choice(STATUSES))
@click.option("--reason", default="", help="Why; index clients show this.")
@on_index
def status(store: Store, project: str, status: str, reason: str) -> int:
    """Return that a project is archived (no new files), deprecated, or active again (PEP 792).

    \b
    Example:
      variant-publish index status foo deprecated --reason "use bar"
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    render_index.show_written(withdrawal.set_status(store, project, status, reason).written)
    return 0


@command.command("verify")
@click.argument("projects", nargs=-1, metavar="[NAME]...")
@click.option("--deep", is_flag=True, help="Read every file and compare its hash.")
@click.option("--repair", is_flag=True, help="Write the pages anew that are not as their masters have them.")
@FORMAT
@on_index
def verify_(store: Store, projects: tuple[str, ...], deep: bool, repair: bool, output: str) -> int:
    """Prove that every listed file is there and every page equals its master. Exit code 1: something is wrong.

    \b
    Examples:
      variant-publish index verify
      variant-publish index verify foo --deep --repair
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    found = verify.verify(store, projects, deep=deep, repair=repair, reporter=ConsoleReporter())
    if output == "json":
        print_json(found.table())
    else:
        render_index.show_verified(found)
    return 0 if found.is_sound else 1


@command.command()
@click.argument("project", metavar="[NAME]", required=False)
@click.option("--hash", "hash_all", is_flag=True, help="Read the files whose hash neither pages nor the store tell.")
@on_index
def adopt(store: Store, project: str | None, hash_all: bool) -> int:
    """Make an index of a bucket of wheels, or of pages that another tool wrote; no wheel is downloaded.

    \b
    Examples:
      variant-publish index adopt --extra-index s3://my-wheels/simple
      variant-publish index adopt foo --hash
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    for found in adoption.adopt(store, project, hash_all=hash_all, reporter=reporter):
        click.echo(f"{found.project}: {len(found.files)} files, {len(found.written)} pages written")
        if found.unhashed:
            reporter.warn(f"{found.project}: {len(found.unhashed)} files have no hash; --hash reads them")
    return 0


@command.command()
@PROJECT
@TARGETS
@click.option("--force", is_flag=True, help="Remove even what another release on this index pins.")
@DRY_RUN
@YES
@on_index
def remove(store: Store, project: str, targets: tuple[str, ...], force: bool, dry_run: bool, yes: bool) -> int:
    """Remove files for good, from the pages first; their names are never used again. Mostly, a yank is better.

    \b
    Example:
      variant-publish index remove foo 1.0.1 --dry-run
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    plan = withdrawal.plan_removal(store, project, targets)
    render_index.show_removal(plan)
    if dry_run:
        return 0
    if plan.files and (not plan.pins or force):
        _ask(f"Remove {len(plan.files)} files for good?", yes)
    render_index.show_written(withdrawal.remove(store, plan, force=force).written)
    return 0


@command.command()
@click.argument("projects", nargs=-1, metavar="[NAME]...")
@click.option("--keep", type=click.IntRange(min=0), metavar="COUNT", help="Keep the newest COUNT nightly releases.")
@click.option("--days", type=click.IntRange(min=0), metavar="DAYS", help="Keep what is younger than DAYS.")
@click.option("--uploads", type=click.IntRange(min=0), metavar="DAYS", help="End uploads cut off DAYS ago.")
@click.option("--stages", type=click.IntRange(min=0), metavar="DAYS", help="Withdraw what was left alone for DAYS.")
@DRY_RUN
@YES
@on_index
def gc(
    store: Store, projects: tuple[str, ...], keep: int | None, days: int | None, uploads: int | None,
    stages: int | None, dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Remove old nightly releases (versions with .devN), never a pinned one, and what was begun and left alone.

    That is uploads that were cut off (--uploads), and staged releases that nobody has released (--stages).

    \b
    Examples:
      variant-publish index gc foo --keep 10 --days 30 --dry-run
      variant-publish index gc --uploads 7 --stages 30 --yes
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    has_rule = keep is not None or days is not None
    if has_rule is not bool(projects) or not (has_rule or uploads is not None or stages is not None):
        raise UsageError("there is no rule", hint="give NAME with --keep or --days, or --uploads, or --stages DAYS")
    now = datetime.now(UTC)
    rule = retention.Retention(keep, days)
    plans = [retention.plan_cleanup(store, project, rule, now) for project in projects]
    removals = [removal for plan in plans for removal in plan.removals]
    stale = retention.stale_uploads(store, uploads, now) if uploads is not None else ()
    left = staging.stale_stages(store, stages, now) if stages is not None else ()
    render_index.show_cleanup(removals, [item for plan in plans for item in plan.kept], stale, left)
    if dry_run or not (removals or stale or left):
        return 0
    _ask(f"Remove {len(removals)} releases and {len(left)} stages, and end {len(stale)} uploads?", yes)
    for removal in removals:
        withdrawal.remove(store, removal)
    for pending in stale:
        store.end(pending)
    for name in left:
        staging.forget(store, name)
    return 0


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to say yes", hint="give --yes, or --dry-run to see the plan")
    click.confirm(question, abort=True, err=True)
