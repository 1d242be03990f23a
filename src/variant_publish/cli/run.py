"""`variant-publish run`."""

from __future__ import annotations

import os

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter
from variant_publish.cli.options import view_options


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@view_options
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(view: api.ViewOptions, words: tuple[str, ...]) -> int:
    """Run a command whose pip, uv, pdm, pipenv, hatch, tox or nox gets the variants that fit this machine.

    The exit code is the command's own. A command that would write a project's lock (uv lock, uv sync, pdm lock) is
    refused: a lock is for every machine, so it needs a static view as an index of the project.

    \b
    Examples:
      variant-publish run --index https://wheels.example.org/simple -- pip install xgboost
      variant-publish run --index wheelhouse --set cuda=12.8 -- uv pip sync requirements.txt
      variant-publish run --index https://wheels.example.org/simple -- tox -e gpu
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    return api.run(view, words, environ=os.environ, reporter=ConsoleReporter())
