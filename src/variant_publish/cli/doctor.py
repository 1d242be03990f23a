"""`variant-publish doctor`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from variant_publish import api
from variant_publish.cli.console import echo, echo_table, print_json
from variant_publish.cli.options import INDEX_HELP, machine_options
from variant_publish.model.quantity import count

if TYPE_CHECKING:
    from variant_publish.install.doctor import Diagnosis


@click.command()
@click.option("--index", "indexes", multiple=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP)
@machine_options
@click.option("--python", type=click.Path(path_type=Path), help="Look at this interpreter or virtual environment.")
@click.option("--target", type=click.Path(path_type=Path, file_okay=False), help="Look at this folder.")
@click.option("--strict", is_flag=True, help="Fail where a better wheel is on the index, too.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    indexes: tuple[str, ...], machine: api.Machine, python: Path | None, target: Path | None, strict: bool,
    output: str,
) -> int:  # fmt: skip
    """Check of each installed variant whether it fits this machine, and whether its ABI pins hold.

    With --index it says whether a better one of the same version is there now, also in place of a generic wheel that
    another installer took. Exit code 1: something does not fit; with --strict, also where a better one is there.

    \b
    Examples:
      variant-publish doctor
      variant-publish doctor --python .venv --index https://wheels.example.org/simple --strict
      variant-publish doctor --host oldest.toml --format json
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    environment = api.Environment.of(python, target, os.environ)
    found = api.doctor(environment, machine, api.Indexes.parse(indexes))
    if output == "json":
        print_json({"schema-version": 1, "variants": [item.table() for item in found]})
    else:
        show(found)
    return int(any(item.is_broken or (strict and item.better is not None) for item in found))


def show(found: Sequence[Diagnosis]) -> None:
    """Print the count, a line for each variant and pin, and what to run."""
    echo(f"{count(len(found), 'variant')}, {sum(item.is_broken for item in found)} broken", bold=True)
    rows = []
    for item in found:
        pins = "\n".join(f"{pin} {found.state}: {found.reason}" for pin, found in item.pins)
        fits = "yes" if item.misfit is None else f"no: {item.misfit}"
        variant = item.variant if item.wish is None else f"{item.variant} (asked for: {item.wish})"
        rows.append((item.project, item.version, variant, fits, item.better or "", pins))
    echo_table(("package", "version", "variant", "fits this machine", "better on the index", "ABI pins"), rows)
    for item in found:
        if item.better is not None:
            echo(f"{item.project} {item.version}: {item.variant}; {item.better} is available: run {item.advice}")
        elif item.advice is not None:
            echo(f"{item.project} {item.version}: run {item.advice}")
