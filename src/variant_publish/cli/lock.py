"""`variant-publish lock`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo_document, write_file
from variant_publish.cli.machine import generic_option, index_option, machine_of, machine_options
from variant_publish.errors import UsageError
from variant_publish.install.choose_client import CLIENTS
from variant_publish.install.environment import Environment
from variant_publish.install.lock import refuse_plus
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.view import Indexes


@click.command()
@click.argument("requirements", nargs=-1, required=True, metavar="NAME[+TAG][SPECIFIER]...")
@index_option
@machine_options
@generic_option
@click.option(
    "--universal", is_flag=True, help="For every machine at once: all variants, all platforms; resolved by uv."
)
@click.option(
    "--python",
    metavar="VERSION",
    help="The Python to choose for, like 3.13; with --universal, the oldest one. Default: the running one.",
)
@click.option("--platform", metavar="TAG", help="The platform to choose for, like manylinux_2_28_x86_64.")
@click.option(
    "--with", "client", type=click.Choice(CLIENTS), help="Default: pip where the environment has it, else uv."
)
@click.option("--default-index", metavar="URL", help="The index of everything else. Default: the client's own.")
@click.option("--format", "output", type=click.Choice(["pylock", "requirements"]), default="pylock", show_default=True)
@click.option("-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
def command(
    requirements: tuple[str, ...], indexes: tuple[str, ...], settings: tuple[str, ...], host_file: Path | None,
    generic: bool, universal: bool, python: str | None, platform: str | None, client: str | None,
    default_index: str | None, output: str, target: Path | None,
) -> int:  # fmt: skip
    """Choose for this machine, a described one or for all of them, and write down every file by URL and hash.

    A pylock.toml (PEP 751) names generic wheels, which pip and uv of today install, and beside them the chosen ones
    and the machine: 'variant-publish install --lock' installs those anywhere. A requirements file names the chosen
    ones; uv installs it with --preview-features wheel-variants. With --universal a pylock.toml holds the wheels of all
    variants, and 'variant-publish install --lock' chooses among them, without any index.

    \b
    Examples:
      variant-publish lock xgboost --index https://wheels.example.org/simple -o pylock.toml
      variant-publish lock xgboost --index https://wheels.example.org/simple --universal -o pylock.toml
      variant-publish lock xgboost --index wheelhouse --host oldest.toml --format requirements -o requirements.txt
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    machine = machine_of(settings, host_file, python, platform)
    wanted = tuple(TaggedRequirement.parse(text) if universal else machine.requirement(text) for text in requirements)
    places, environment = Indexes.parse(indexes), Environment.of(None, None, os.environ)
    request = api.Request(wanted, places, environment, machine, client, default_index, generic)
    if universal:
        refuse_described(output, generic or bool(settings or host_file or platform))
        lock = api.lock_universal(request, python=python, environ=os.environ, reporter=reporter)
    else:
        lock = api.lock(request, environ=os.environ, reporter=reporter)
    if output == "requirements":
        refuse_plus(lock)
    text = lock.requirements() if output == "requirements" else lock.dumps()
    if target is None:
        echo_document(text)
        return 0
    write_file(target, text)
    return 0


def refuse_described(output: str, described: bool) -> None:
    """Refuse what cannot be said of every machine; raise UsageError."""
    if output == "requirements":
        raise UsageError(
            "a requirements file cannot be for every machine: its markers know neither CPU levels nor drivers, so"
            " nothing could say which line of a project counts",
            hint="write a pylock.toml, or lock for one machine with --host FILE",
        )
    if described:
        raise UsageError(
            "--universal is for every machine, and --host (or VARIANT_PUBLISH_HOST), --set, --platform and --generic"
            " describe one",
            hint="leave them out; they count when the lock is installed",
        )
