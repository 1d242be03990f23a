"""`variant-publish lock`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo_document, write_file
from variant_publish.cli.options import described_options, environment_of, index_option, request_of, requirement_options


@click.command()
@requirement_options
@index_option
@described_options
@click.option(
    "--universal", is_flag=True, help="For every machine at once: all variants, all platforms; resolved by uv."
)
@click.option("--format", "output", type=click.Choice(["pylock", "requirements"]), default="pylock", show_default=True)
@click.option("-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
def command(
    universal: bool, python_version: str | None, platform: str | None, output: str, target: Path | None, **options: Any
) -> int:
    """Choose for this machine, a described one or for all of them, and write every file by URL and hash.

    A pylock.toml (PEP 751) names generic wheels, which pip and uv of today install, and beside them the chosen ones
    and the machine: 'variant-publish install --lock' installs those, and refuses a machine that they do not fit. A
    requirements file names the chosen ones; uv installs it with --preview-features wheel-variants. With --universal a
    pylock.toml holds the wheels of all variants, and 'variant-publish install --lock' chooses among them, without any
    index; --python-version is then the oldest Python.

    \b
    Examples:
      variant-publish lock xgboost --index https://wheels.example.org/simple -o pylock.toml
      variant-publish lock xgboost --index https://wheels.example.org/simple --universal -o pylock.toml
      variant-publish lock -r requirements.in --index wheelhouse --host oldest.toml --format requirements
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    if not options["words"] and not options["files"]:
        raise api.UsageError("nothing says what to lock", hint="pass NAME..., or -r FILE")
    request = request_of(
        environment_of(), described=(python_version, platform), universal=universal, **options
    )  # fmt: skip
    if universal:
        given = (options["generic"], options["settings"], options["host_file"], platform)
        refuse_described(output, any(given))
        lock = api.lock_universal(request, python=python_version, environ=os.environ, reporter=reporter)
    else:
        lock = api.lock(request, environ=os.environ, reporter=reporter)
    text = api.requirements_of(lock) if output == "requirements" else lock.dumps()
    if target is None:
        echo_document(text)
    else:
        write_file(target, text)
    return 0


def refuse_described(output: str, described: bool) -> None:
    """Refuse what cannot be said of every machine; raise UsageError."""
    if output == "requirements":
        raise api.UsageError(
            "a requirements file cannot be for every machine: its markers know neither CPU levels nor drivers, so"
            " nothing could say which line of a project counts",
            hint="write a pylock.toml, or lock for one machine with --host FILE",
        )
    if described:
        raise api.UsageError(
            "--universal is for every machine, and --host (or VARIANT_PUBLISH_HOST), --set, --platform and --generic"
            " describe one",
            hint="leave them out; they count when the lock is installed",
        )
