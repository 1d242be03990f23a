"""`--help` of every command ends with examples, and what they say can be said."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from support.cli import run
from variant_publish.cli.main import COMMANDS, group


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", inner) for sub, inner in command.commands.items())


ALL = dict(commands())


def examples(name: str) -> list[str]:
    """Give the examples, which are the end of the help text."""
    text = ALL[name].help or ""
    _, head, tail = text.rpartition("Examples:\n") if "Examples:\n" in text else text.rpartition("Example:\n")
    assert head, f"{name} --help has no example"
    return [line.strip() for line in tail.strip().splitlines()]


@pytest.mark.parametrize("name", ALL)
def test_the_help_ends_with_examples_that_can_be_typed(name: str) -> None:
    found = examples(name)
    assert any(f"variant-publish {name}" in line for line in found)
    for line in found:
        inner_call = re.search(r"\$\((variant-publish [^)]*)\)", line)  # what a shell is to run inside of a line
        program, *words = shlex.split(inner_call[1] if inner_call else line.partition(" > ")[0])
        assert program == "variant-publish", line
        command: click.Command = group
        while isinstance(command, click.Group):
            inner = command.get_command(click.Context(command), words.pop(0))
            assert inner is not None, line
            command = inner
        command.make_context(command.name, words)  # raises where an option, a value or an argument is not there


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", ALL)
def test_the_help_is_as_wide_as_the_terminal_and_shows_every_example(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = run(*name.split(), "--help")
    assert shown.code == 0
    wide = [line for line in shown.stdout.splitlines() if len(line) > width]
    assert [
        line for line in wide if len(re.findall(r"\"[^\"]{30,}\"|\S{30,}", line)) != 1
    ] == []  # a long word stays whole
    joined = re.sub(r" \\\n +", " ", shown.stdout)
    assert all(f"  {line}\n" in joined for line in examples(name))
