"""`variant-publish install`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo_table, print_json
from variant_publish.cli.options import INDEX_HELP, environment_of, request_of, requirement_options

if TYPE_CHECKING:
    from variant_publish.install.planner import InstallPlan


@click.command()
@requirement_options
@click.option("--index", "indexes", multiple=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP)
@click.option(
    "--lock",
    "lock_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Install the very files of a pylock.toml that 'variant-publish lock' wrote.",
)
@click.option("--python", type=click.Path(path_type=Path), help="Install for this interpreter or virtual environment.")
@click.option("--target", type=click.Path(path_type=Path, file_okay=False), help="Install into this folder.")
@click.option("--dry-run", is_flag=True, help="Print the plan; nothing is installed.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    lock_file: Path | None, python: Path | None, target: Path | None, dry_run: bool, output: str, **options: Any
) -> int:
    """Install the variants that fit this machine, by today's pip or uv.

    pip or uv resolves against the view of this machine: of every release the best variant under its plain name. A
    project belongs to the first index that has it, dependencies included. ABI pins bind: another build of a pinned
    version is refused. What stands after '--' are options of pip or uv.

    \b
    Examples:
      variant-publish install xgboost --index https://wheels.example.org/simple
      variant-publish install python-flint+x86_64_v3 --index wheelhouse --set x86_64_version=v3 --dry-run
      variant-publish install --lock pylock.toml
      variant-publish install -r requirements.txt --index wheelhouse --with uv -- --no-build-isolation
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    wanted = bool(options["words"] or options["files"])
    if bool(wanted and options["indexes"]) == (lock_file is not None):
        raise api.UsageError("nothing says what to install", hint="pass NAME... and --index URL, or --lock FILE alone")
    request = request_of(environment_of(python, target), **options)
    if lock_file is not None:
        planned = api.plan_locked(request, api.read_lock(lock_file), environ=os.environ)
    else:
        planned = api.plan_install(request, environ=os.environ, reporter=reporter)
    if output == "text":
        show(planned.plan)
    if not dry_run:
        api.install(planned, reporter)
    if output == "json":
        print_json({"schema-version": 1, "dry-run": dry_run, **planned.plan.table()})
    return 0


def show(plan: InstallPlan) -> None:
    """Print what is installed from where."""
    rows = [
        (item.project, item.record.version, item.record.variant, str(item.action), item.record.wheel, item.record.index)
        for item in plan.chosen
    ]
    rows += [(other.name, str(other.version), "", "install", "", f"chosen by {plan.client}") for other in plan.others]
    echo_table(("package", "version", "variant", "action", "wheel", "index"), rows)
