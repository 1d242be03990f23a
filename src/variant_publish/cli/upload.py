"""`variant-publish upload`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from variant_publish import api
from variant_publish.cli import render_upload
from variant_publish.cli.console import ConsoleReporter, print_json
from variant_publish.cli.logs import show_logs
from variant_publish.config import Config, UploadTable
from variant_publish.errors import UsageError
from variant_publish.publish.plan import LARGE_TO_S3


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice([LARGE_TO_S3]), help="What goes where. Default: the configuration's.")
@click.option("--extra-index", metavar="s3://BUCKET/PREFIX|file:DIR", help="The root of the extra index.")
@click.option("--endpoint-url", metavar="URL", help="An S3 endpoint other than Amazon's.")
@click.option("--public-url", metavar="URL", help="Where users will find the extra index.")
@click.option("--views", metavar="s3://BUCKET/PREFIX|file:DIR", help="Where each variant gets an index for plain pip.")
@click.option("--views-url", metavar="URL", help="Where users will find the views.")
@click.option("--repository", metavar="NAME", help="A repository that twine knows: pypi, testpypi, or of .pypirc.")
@click.option("--repository-url", metavar="URL|file:DIR", help="The upload URL of a repository, or a folder.")
@click.option("--repository-index", metavar="URL", help="The simple index of the repository, where it is elsewhere.")
@click.option("--no-repository", is_flag=True, help="Send everything to the extra index.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
@click.option("-v", "--verbose", count=True, help="Show every request; -vv: how it is signed, answered, tried again.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
def command(folder: Path, dry_run: bool, output: str, config_file: Path | None, verbose: int, **options: Any) -> int:
    """Publish the release in FOLDER: generic wheels to the repository, the rest to the extra index.

    With --views, each variant also gets an index of its own, as a local version that plain pip prefers (1.0+cu128).
    The plan is shown, then carried out. A second run changes nothing and says so; after a kill it finishes the work.

    \b
    Examples:
      variant-publish upload wheelhouse --split large-to-s3 --dry-run
      variant-publish upload wheelhouse --split large-to-s3 --extra-index s3://my-wheels/simple --repository pypi
      variant-publish upload wheelhouse --split large-to-s3 --extra-index file:index --no-repository
      variant-publish upload wheelhouse --extra-index s3://my-wheels/simple --views s3://my-wheels/views
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    show_logs(verbose)
    config = Config.load(config_file)
    reporter = ConsoleReporter()
    settings = _settings(config.upload, **options)
    if settings.repository is None and settings.repository_url is None and not options["no_repository"]:
        reporter.note("no repository is named (--repository, --repository-url): everything goes to the extra index")
    planned = api.plan_upload([folder], config, settings, reporter)
    tables, codes = [], []
    for item in planned:
        if output == "text":
            render_upload.show_plan(item)
        published = None if dry_run else api.upload(item, reporter)
        if published is not None and output == "text":
            render_upload.show_published(published, settings, item.plan.project)
        tables.append({**item.table(), "published": published.table() if published else None})
        codes.append(0 if published is None or published.is_complete else 1)
    if output == "json":
        print_json({"schema-version": 1, "dry-run": dry_run, "releases": tables})
    return max(codes)


def _settings(upload: UploadTable, *, no_repository: bool, **given: str | None) -> UploadTable:
    """Give the configuration's settings with what the options override."""
    named = [name for name in ("repository", "repository_url") if given[name]]
    if len(named) + no_repository > 1:
        raise UsageError(
            "the release cannot go to two repositories",
            hint="give one of --repository, --repository-url and --no-repository",
        )
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if named or no_repository:
        changes = {"repository": None, "repository_url": None, "repository_index": None, **changes}
    return msgspec.structs.replace(upload, **changes)
