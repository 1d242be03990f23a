"""Drive pip or uv against a view: their own resolver chooses versions, the view has the wheels of this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from packaging.utils import NormalizedName
from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import name_in
from variant_publish.install.process import follow
from variant_publish.model.url import redact
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.serve.client_environment import client_environment

_TAIL = 600


class ClientFailed(VariantPublishError):
    """Report that pip or uv gave up, with what it said."""


class ResolvedFile(msgspec.Struct, frozen=True):
    """One file of a resolution; `sha256` is None where the client tells none, as of a wheel that the view rewrites."""

    url: str
    sha256: str | None = None

    @property
    def name(self) -> str:
        """Return the file name."""
        return name_in(self.url)


class Resolved(msgspec.Struct, frozen=True):
    """One distribution of a resolution, and the files of it that were chosen, if the client names them."""

    name: NormalizedName
    version: Version
    files: tuple[ResolvedFile, ...] = ()


class Demand(msgspec.Struct, frozen=True):
    """What is asked of a client, in words that it reads: lines of a requirements file, its own options.

    A `complete` demand names everything: no dependency is looked for. `described` is a machine elsewhere; None stands
    for the environment itself.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    upgrade: bool = False
    pre: bool = False
    complete: bool = False
    described: Machine | None = None

    def write(self, folder: Path) -> list[str | Path]:
        """Write requirements and constraints into a folder, and return the arguments that name them."""
        arguments: list[str | Path] = []
        for option, lines in (("-r", self.requirements), ("-c", self.constraints)):
            path = folder / f"{'requirements' if option == '-r' else 'constraints'}.txt"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            arguments += [option, path] if lines or option == "-r" else []
        return arguments


class Client(Protocol):
    """Resolve and install from one index; both raise ClientFailed with what the client said."""

    @property
    def name(self) -> str:
        """Return the name that users know it by."""
        ...

    def default_index(self) -> str:
        """Return the index that the client is configured to use where none is named."""
        ...

    def resolve(self, demand: Demand, index: str) -> tuple[Resolved, ...]:
        """Return what would be installed; for a described machine, everything that is needed."""
        ...

    def install(self, demand: Demand, index: str, reinstall: Sequence[str], reporter: Reporter) -> None:
        """Install; `reinstall` are `NAME==VERSION` that take the place of another wheel of that version."""
        ...


class ClientProcess(msgspec.Struct, frozen=True):
    """How a client is started: its program, and environment variables that leave it one index."""

    name: str
    program: tuple[str, ...]
    environ: Mapping[str, str]

    def ask(self, arguments: Iterable[str | Path], index: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run it quietly and return what it printed; raise ClientFailed."""
        done = subprocess.run(
            [*self.program, *map(str, arguments)], env=client_environment(self.environ, index, folder),
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            raise failed(self.name, done.stderr or done.stdout)
        return done

    def stream(self, arguments: Iterable[str | Path], index: str, folder: Path, reporter: Reporter) -> None:
        """Run it and pass on each line that it prints; raise ClientFailed."""
        environ = client_environment(self.environ, index, folder)
        secret = index.removesuffix("simple/")
        done = follow(
            [*self.program, *map(str, arguments)],
            lambda line: reporter.note(redact(line.replace(index, "the view of this machine").replace(secret, ""))),
            environ=environ,
        )
        if done.status:
            raise failed(self.name, done.output)


def failed(what: str, output: str) -> ClientFailed:
    """Return the error for what a client printed: its last words, on one line."""
    text = " ".join(output.split())
    text = text[text.rfind("ERROR: Cannot install") :] if "ERROR: Cannot install" in text else text
    return ClientFailed(
        f"{what} failed: {redact(text[-_TAIL:]) or 'it said nothing'}",
        hint="'variant-publish select NAME --index ...' shows what a project has for this machine",
    )
