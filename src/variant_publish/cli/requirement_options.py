"""The options that say what is installed, shared by install and lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.cli.machine import generic_option, machine_of, machine_options
from variant_publish.errors import UsageError

_PLACES = ("--index", "--index-url", "-i", "--extra-index-url", "--default-index", "--find-links", "-f", "--no-index",
           "--python", "-p", "--target", "-t", "--prefix", "--root", "--report", "--dry-run")  # fmt: skip


def requirement_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add requirements, `-r`, `-c`, `-U`, `--pre`, `--with`, `--default-index`, and what describes the machine."""
    for option in (
        click.argument("words", nargs=-1, metavar="NAME[+TAG][SPECIFIER]... [-- OPTIONS]"),
        click.option("-r", "--requirement", "files", multiple=True, type=click.Path(path_type=Path),
                     help="A requirements file; its lines may have tags, as in numpy+pypi==2.0.0."),
        click.option("-c", "--constraint", "constraints", multiple=True, type=click.Path(path_type=Path),
                     help="A constraints file; its lines may have tags."),
        click.option("-U", "--upgrade", is_flag=True, help="Take the newest versions, whatever is installed."),
        click.option("--pre", is_flag=True, help="Take pre-releases, too."),
        click.option("--with", "client", type=click.Choice(["pip", "uv"]),
                     help="Default: pip where the environment has it, else uv."),
        click.option("--default-index", metavar="URL", help="The index of everything else. Default: the client's own."),
        machine_options, generic_option,
    ):  # fmt: skip
        function = option(function)
    return function


def request_of(environment: api.Environment, *, described: Sequence[str | None] = (), **options: Any) -> api.Request:
    """Return what the options ask for; `described` are the Python version and the platform of another machine."""
    words: tuple[str, ...] = options["words"]
    cut = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    for word in words[cut:]:
        if word.partition("=")[0] in _PLACES:
            raise UsageError(f"{word.partition('=')[0]!r} is not the client's to say here",
                             hint="put it before '--', as an option of this command")  # fmt: skip
    machine = machine_of(options["settings"], options["host_file"], *described)
    parse = api.TaggedRequirement.parse if options.get("universal") else machine.requirement
    return api.Request(
        tuple(map(parse, words[:cut])), api.Indexes.parse(options["indexes"]), environment, machine,
        options["client"], options["default_index"], options["generic"],
        _lines(options["files"], parse), _lines(options["constraints"], parse),
        words[cut:], options["upgrade"], options["pre"],
    )  # fmt: skip


def _lines(
    files: Iterable[Path], parse: Callable[[str], api.TaggedRequirement]
) -> tuple[str | api.TaggedRequirement, ...]:
    return tuple(line for file in files for line in api.requirement_lines(file, parse))


def environment_of(python: Path | None = None, target: Path | None = None) -> api.Environment:
    """Return the environment that is meant."""
    return api.Environment.of(python, target, os.environ)
