"""`variant-publish plan-matrix`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.cli.console import echo, echo_document, echo_table, print_json
from variant_publish.cli.options import with_config
from variant_publish.model.quantity import count


@click.command()
@click.option("--format", "output", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option(
    "--missing",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR|WHEEL",
    help="Only the cells that no wheel there fills; repeat as needed.",
)
@with_config
def command(output: str, places: tuple[Path, ...], config: api.Config) -> int:
    """Print the cells that check asks for as build jobs: runner, Python, cibuildwheel's selector and image.

    \b
    Examples:
      variant-publish plan-matrix
      echo "matrix=$(variant-publish plan-matrix --format github)" >> "$GITHUB_OUTPUT"
      variant-publish plan-matrix --format github --missing wheelhouse
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    planned = api.plan_matrix(config, places)
    jobs = [job.table() for job in planned]
    if output == "github":
        echo_document(json.dumps({"include": jobs}) + "\n")
    elif output == "json":
        print_json({"schema-version": 1, "jobs": jobs})
    else:
        show(jobs, dict.fromkeys(axis for job in planned for axis in job.axes if axis != "runs-on"))
    return 0


def show(jobs: list[dict[str, Any]], further: Iterable[str]) -> None:
    """Print the jobs; `further` are the entries that axes of the configuration add."""
    names = ("python", "platform", "variant", "runs-on", "cibuildwheel", *further)
    rows = [
        (*(job[name] for name in names), " ".join(filter(None, (job["cibw-environment"], job["config-settings"]))))
        for job in jobs
    ]
    echo_table((*names, "build settings"), rows)
    echo(count(len(jobs), "job"))
