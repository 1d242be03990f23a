"""`variant-publish select`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli import layout
from variant_publish.cli.console import echo, echo_table, print_json
from variant_publish.cli.options import generic_option, index_option, machine_anywhere


@click.command()
@click.argument("requirement", metavar="NAME[+TAG][SPECIFIER]")
@index_option
@generic_option
@machine_anywhere
@click.option("--python", type=click.Path(path_type=Path), help="Choose for this interpreter or virtual environment.")
@click.option("--dialect", metavar="DIALECT", help="As an installer of this one.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    requirement: str, indexes: tuple[str, ...], machine: api.Machine, generic: bool, python: Path | None,
    dialect: str | None, output: str,
) -> int:  # fmt: skip
    """Show which wheel of a project this machine, or the described one, would get, and why the others lost.

    NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION and NV_VARIANT_PROVIDER_FORCE_SM_ARCH count as for uv.

    \b
    Examples:
      variant-publish select xgboost --index https://wheels.example.org/simple
      variant-publish select "xgboost>=3" --index wheelhouse --set cuda=12.8 --format json
      variant-publish select numpy+pypi==2.0.0 --index pypi=https://mirror.example.org/simple
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if python is not None:
        machine = api.Environment.of(python, None, os.environ).machine(machine)
    wanted = machine.requirement(requirement)
    chosen = api.select(
        wanted,
        api.Indexes.parse(indexes),
        machine,
        dialect=api.dialect_of(dialect) if dialect else None,
        generic=generic,
    )
    if output == "json":
        print_json({"schema-version": 1, **chosen.table(), "machine": dict(machine.values)})
    else:
        show(chosen, machine)
    return 0 if chosen.selected else 1


def show(chosen: api.Selection, machine: api.Machine) -> None:
    """Print what is selected, then the candidates, best first."""
    values = ", ".join(f"{name}={value}" for name, value in machine.values.items())
    echo(f"selected: {chosen.selected or 'nothing: no wheel fits this machine'}", bold=True)
    echo(f"machine:  {values}\n")
    names = layout.short_names([candidate.filename for candidate in chosen.candidates])
    rows = [
        (name, candidate.variant, "selected" if candidate.chosen else candidate.reason or "")
        for name, candidate in zip(names, chosen.candidates, strict=True)
    ]
    head = f"{chosen.project} {chosen.version or ''}".strip()
    echo_table((head, "variant", "why not"), rows, mark=[candidate.chosen for candidate in chosen.candidates])
