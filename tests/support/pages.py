"""Run the code blocks of a page as they stand, in their order, as its reader would.

sh: each line is a command. toml: a file whose name is the first line's comment, and a valid configuration of ours.
python: a script. text: every line is in the output of the command before. yaml and json: parsed, and the commands of
a workflow's steps are ones that could be typed. A comment `<!-- test: ... -->` before a block tells what a reader has
and the test must make (`wheels`: those of every declared cell), or that a block is only read (`read`).
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import yaml

from support.cli import run
from support.http import serving
from support.wheels import make_wheel
from variant_publish.cli.main import group
from variant_publish.config.configuration import Config

_BLOCK = re.compile(
    r"(?:<!-- test: (?P<hint>[^>]*) -->\n+)?(?P<indent>[ ]*)```(?P<language>\w*)\n(?P<text>.*?)\n?(?P=indent)```\n",
    flags=re.DOTALL,
)
_OURS = re.compile(r"(?:^|\$\()(variant-publish [^)\n]*)")


@dataclass(frozen=True)
class Block:
    """One fenced block and what the comment before it says."""

    language: str
    text: str
    hint: str = ""


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = []
    for match in _BLOCK.finditer(page.read_text("utf-8")):
        lines = [line.removeprefix(match["indent"]) for line in match["text"].splitlines()]
        found.append(Block(match["language"], "\n".join(lines) + "\n", (match["hint"] or "").strip()))
    return found


def check_command(words: list[str]) -> None:
    """Assert that a command line of ours could be typed: command, options, values."""
    command: click.Command = group
    while isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), words.pop(0))
        assert inner is not None
        command = inner
    command.make_context(command.name, words)


@dataclass
class Reader:
    """Follow a page in a folder; `replaced` are the addresses of the page and where the test has them."""

    folder: Path
    environment: Path
    replaced: Mapping[str, str] = field(default_factory=dict)
    setups: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    output: str = ""
    stack: ExitStack = field(default_factory=ExitStack)
    served: dict[str, str] = field(default_factory=dict)

    def follow(self, page: Path) -> None:
        """Run every block of the page."""
        with self.stack:
            for block in blocks(page):
                self.one(block)

    def one(self, block: Block) -> None:
        """Run, write or read one block."""
        if block.hint == "read":
            for line in _commands(block.text) if block.language == "sh" else ():
                check_line(line)
            return
        if block.hint:
            self._set_up(block.hint)
        kinds: dict[str, Callable[[str], object]] = {
            "sh": self._shell, "toml": self._toml, "python": self._python, "text": self._expect,
            "c": self._c, "yaml": check_workflow, "json": json.loads,
        }  # fmt: skip
        kinds[block.language](block.text)

    def _shell(self, text: str) -> None:
        for line in _commands(text):
            self.command(line)

    def _expect(self, text: str) -> None:
        for line in filter(None, map(str.strip, text.splitlines())):
            assert line in self.output, f"{line!r} is not in:\n{self.output}"

    def command(self, line: str) -> None:
        """Run one line; it must succeed, unless it ends in a comment with its exit code."""
        expected = int(code[1]) if (code := re.search(r"# exit code (\d)$", line)) else 0
        words = shlex.split(self._here(line), comments=True)
        program, *arguments = words
        if words[-1] == "&":
            self._serve(arguments)
        elif program == "variant-publish":
            with self._installing() if arguments[0] == "run" else nullcontext():
                done = run(*self._expanded(arguments))
            self.output = done.stdout + done.stderr
            assert done.code == expected, f"{line}\n{self.output}"
        elif program == "export":
            for name, _, value in (word.partition("=") for word in arguments):
                os.environ[name] = value
        else:
            self._foreign(program, self._expanded(arguments), line)

    @contextmanager
    def _installing(self) -> Iterator[None]:
        """Let the installers that a command starts be those of the tests, and install into the environment."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        with patch.dict(os.environ, {"PATH": path, "PIP_PYTHON": str(self.environment)}):
            yield

    def _foreign(self, program: str, arguments: list[str], line: str) -> None:
        given = arguments[0] in {"wheel", "lock", "sync"} or "--python" in arguments
        where = [] if given else ["--python", str(self.environment)]
        known = {
            "pip": [sys.executable, "-m", "pip", *where],
            "python": [str(self.environment / ("Scripts" if os.name == "nt" else "bin") / "python")],
            "uv": [str(Path(sys.executable).with_name("uv"))],
            "mkdir": ["mkdir"],
            "cat": ["cat"],
            "ls": ["ls"],
        }
        done = subprocess.run([*known[program], *arguments], capture_output=True, encoding="utf-8", check=False)
        self.output = done.stdout + done.stderr
        assert done.returncode == 0, f"{line}\n{self.output}"

    def _expanded(self, words: list[str]) -> list[str]:
        """Expand patterns as a shell does."""
        return [hit for word in words for hit in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]

    def _serve(self, arguments: list[str]) -> None:
        """Serve a folder in place of `python -m http.server --directory DIR PORT &`."""
        assert arguments[:3] == ["-m", "http.server", "--directory"], arguments
        address = self.stack.enter_context(serving(Path(arguments[3])))
        self.served[f"http://127.0.0.1:{arguments[4]}"] = address

    def _here(self, text: str) -> str:
        for old, new in {**self.replaced, **self.served}.items():
            text = text.replace(old, new)
        return text

    def _toml(self, text: str) -> None:
        name = re.match(r"# (\S+\.toml)\n", text)
        data = tomllib.loads(text)
        if name is not None:
            text = self._here(text)
            path = self.folder / name[1]
            path.write_text(text)
            if "variant-publish" in data.get("tool", {}) or name[1] != "pyproject.toml":
                Config.load(path)
        elif "tool" in data:
            Config.parse(text)

    def _python(self, text: str) -> None:
        if name := re.match(r"# (\S+\.py)\n", text):
            (self.folder / name[1]).write_text(text)
            return
        script = self.folder / "script.py"
        script.write_text(self._here(text))
        with redirect_stdout(StringIO()) as output:
            runpy.run_path(str(script), run_name="__main__")
        self.output = output.getvalue()

    def _c(self, text: str) -> None:
        name = re.match(r"/\* (\S+\.c) \*/\n", text)
        assert name is not None, "a source file has its name in its first line"
        (self.folder / name[1]).write_text(text, "utf-8")

    def _set_up(self, hint: str) -> None:
        if hint == "wheels":
            make_cells(self.folder)
        else:
            self.setups[hint](self.folder)


def make_cells(folder: Path, project: str = "myproject") -> None:
    """Write a wheel for every cell of the folder's configuration, each variant into dist/VARIANT."""
    config = Config.load(folder / "pyproject.toml")
    assert config.matrix is not None
    for cell in config.matrix.cells():
        content = f"VARIANT = {cell.variant!r}\n".encode()
        name = f"{project}-1.0-{cell.python}-{cell.platform}.whl"
        make_wheel(folder / "dist" / cell.variant, name, files={f"{project}.py": content})


def check_line(line: str) -> None:
    """Assert that every command of ours in a line of a shell could be typed."""
    for found in _OURS.findall(line):
        check_command(shlex.split(found.partition(" > ")[0], comments=True)[1:])


def check_workflow(text: str) -> None:
    """Assert that YAML can be parsed, and that the commands of ours in it could be typed."""
    for step in _strings(yaml.safe_load(text), "run"):
        for line in _commands(step):
            check_line(line)


def _strings(data: Any, key: str) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from _strings(value, key)
    elif isinstance(data, list):
        for item in data:
            yield from _strings(item, key)


def _commands(text: str) -> list[str]:
    """Return the commands of a block: continued lines joined, empty ones and comments dropped."""
    lines = (line.strip() for line in text.replace("\\\n", " ").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
