"""`variant-publish run`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter
from variant_publish.cli.machine import view_options, view_options_of


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@view_options
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1. Default: the same one each time.")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(
    indexes: tuple[str, ...], settings: tuple[str, ...], host_file: Path | None, generic: bool,
    default_index: str | None, port: int | None, words: tuple[str, ...],
) -> int:  # fmt: skip
    """Run a command whose pip, uv, pdm, pipenv, hatch, tox or nox gets the variants that fit this machine.

    The exit code is the command's own. A command that would write a project's lock (uv lock, uv sync, pdm lock) is
    refused: a lock is for every machine, so it needs a static view as an index of the project.

    \b
    Examples:
      variant-publish run --index https://wheels.example.org/simple -- pip install xgboost
      variant-publish run --index wheelhouse --set cuda=12.8 -- uv pip sync requirements.txt
      variant-publish run --index https://wheels.example.org/simple -- tox -e gpu
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    options = view_options_of(indexes, settings, host_file, generic, default_index, port)
    return api.run(options, words, environ=os.environ, reporter=ConsoleReporter())
