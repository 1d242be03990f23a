"""`variant-publish host`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, print_json, write_file
from variant_publish.cli.options import machine_anywhere


@click.command()
@machine_anywhere
@click.option("--evaluate", metavar="NAME[SPECIFIER]", help="Ask the selector functions of a project's release, too.")
@click.option("--index", "indexes", multiple=True, metavar="URL|DIR", help="Where that project is.")
@click.option("--allow", multiple=True, metavar="VARIABLE|NAMESPACE", help="Let this one's code run; repeat as needed.")
@click.option("--save", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    machine: api.Machine, evaluate: str | None, indexes: tuple[str, ...], allow: tuple[str, ...], target: Path | None,
    output: str,
) -> int:  # fmt: skip
    """Show what this machine is, as selector variables and as properties; or store it.

    A stored machine stands for this one in select, install and lock (--host FILE): the same choices elsewhere. Code
    of others never runs by itself: --evaluate runs what you --allow, in an environment made for it, for a minute at
    most, and --save keeps the answer.

    \b
    Examples:
      variant-publish host
      variant-publish host --save variants.toml
      variant-publish host --set x86_64_version=v2 --set cuda=none --save oldest.toml
      variant-publish host --evaluate foo --index https://wheels.example.org/simple --allow blas --save variants.toml
      variant-publish select xgboost --index https://wheels.example.org/simple --host oldest.toml
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if evaluate is not None:
        wanted, places = api.TaggedRequirement.parse(evaluate), api.Indexes.parse(indexes)
        request = api.Request((wanted,), places, api.Environment.of(None, None, os.environ), machine)
        allowed = {*allow, *machine.allowed}
        machine = api.evaluate(request, allowed=allowed, environ=os.environ, reporter=ConsoleReporter())
    stored = machine.store()
    if target is not None:
        write_file(target, stored.dumps())
    if output == "json":
        print_json({key: value for key, value in stored.table().items() if key != "evaluated"})
    else:
        echo(stored.dumps().rstrip("\n") if target is None else target)
    return 0
