"""`variant-publish install`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo_table, print_json
from variant_publish.cli.machine import INDEX_HELP, generic_option, machine_of, machine_options
from variant_publish.errors import UsageError
from variant_publish.formats.pylock import Lock
from variant_publish.install.choose_client import CLIENTS
from variant_publish.install.environment import Environment
from variant_publish.install.plan import InstallPlan
from variant_publish.view import Indexes


@click.command()
@click.argument("requirements", nargs=-1, metavar="NAME[+TAG][SPECIFIER]...")
@click.option("--index", "indexes", multiple=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP)
@click.option(
    "--lock",
    "lock_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Install the very files of a pylock.toml that 'variant-publish lock' wrote.",
)
@machine_options
@generic_option
@click.option("--python", type=click.Path(path_type=Path), help="Install for this interpreter or virtual environment.")
@click.option("--target", type=click.Path(path_type=Path, file_okay=False), help="Install into this folder.")
@click.option(
    "--with", "client", type=click.Choice(CLIENTS), help="Default: pip where the environment has it, else uv."
)
@click.option("--default-index", metavar="URL", help="The index of everything else. Default: the client's own.")
@click.option(
    "--dry-run", is_flag=True, help="Print the plan; wheels are fetched into the cache, nothing is installed."
)
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    requirements: tuple[str, ...], indexes: tuple[str, ...], lock_file: Path | None,
    settings: tuple[str, ...], host_file: Path | None,
    generic: bool, python: Path | None, target: Path | None, client: str | None, default_index: str | None,
    dry_run: bool, output: str,
) -> int:  # fmt: skip
    """Install the variants that fit this machine, by today's pip or uv.

    The chosen wheels are fetched with a check of their hashes, made plain by raw copy, and handed to pip or uv, which
    install the dependencies too. ABI pins bind: another build of a pinned version is refused.

    \b
    Examples:
      variant-publish install xgboost --index https://wheels.example.org/simple
      variant-publish install python-flint+x86_64_v3 --index wheelhouse --set x86_64_version=v3 --dry-run
      variant-publish install --lock pylock.toml
      variant-publish install foo numpy+pypi==2.0.0 --index https://wheels.example.org/simple --with uv
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    if bool(requirements and indexes) == (lock_file is not None):
        raise UsageError("say what to install", hint="use NAME... and --index URL, or --lock FILE alone")
    environment = Environment.of(python, target, os.environ)
    machine = machine_of(settings, host_file)
    if lock_file is not None:
        lock = Lock.parse(lock_file.read_text("utf-8"))
        planned = api.plan_locked(
            lock, environment, machine, generic=generic, client=client, environ=os.environ,
            reporter=reporter,
        )  # fmt: skip
    else:
        request = api.Request(
            tuple(map(machine.requirement, requirements)), Indexes.parse(indexes), environment, machine,
            client, default_index, generic,
        )  # fmt: skip
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
