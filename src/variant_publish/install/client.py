"""Drive pip or uv: they resolve dependencies and install; which wheel of a release is ours to say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from packaging.utils import NormalizedName
from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import LockedFile
from variant_publish.install import process
from variant_publish.model.url import redact
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.local import local_path

_TAIL = 600


class ClientFailed(VariantPublishError):
    """Report that pip or uv gave up, with what it said."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One distribution of a resolution; `files` are those that a lock may name, none where they were not asked."""

    name: NormalizedName
    version: Version
    files: tuple[LockedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What the client resolves or installs; `kept` maps what is installed and stays to its version.

    `pinned` maps projects to the URL of the one file that counts for them: a constraint, so what asks for a project
    stays what asks for it. `described` is a machine elsewhere; None stands for the environment itself. A `complete`
    job names everything: no dependency is looked for.
    """

    requirements: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    default_index: str | None = None
    pinned: Mapping[NormalizedName, str] = field(default_factory=dict)
    described: Machine | None = None
    complete: bool = False
    kept: Mapping[NormalizedName, str] = field(default_factory=dict)

    def write(self, folder: Path) -> list[str | Path]:
        """Write requirements and constraints into a folder and give the arguments that name them."""
        requirements, constraints = folder / "requirements.in", folder / "constraints.txt"
        requirements.write_text("".join(f"{line}\n" for line in self.requirements), "utf-8")
        lines = [f"{name} @ {url}" for name, url in self.pinned.items()]
        lines += [f"{name}=={version}" for name, version in self.kept.items()]
        constraints.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return ["-r", requirements, "-c", constraints, *(["--no-deps"] if self.complete else [])]

    def flat(self) -> tuple[list[str], list[str]]:
        """Return the indexes as (repositories, flat folders): clients have different options for them."""
        repositories, folders = [], []
        for index in self.indexes:
            path = local_path(index) or (None if "://" in index else Path(index))
            if path is None:
                repositories.append(index)
            elif any(path.glob("*.whl")):
                folders.append(str(path.resolve()))
            else:
                repositories.append(path.resolve().as_uri())
        return repositories, folders


class Client(Protocol):
    """Resolve and install; both raise ClientFailed with what the client said."""

    @property
    def name(self) -> str:
        """Return the name that users know it by."""
        ...

    def default_index(self) -> str:
        """Return the index that the client is configured to use where none is named."""
        ...

    def resolve(self, job: Job) -> tuple[Resolved, ...]:
        """Return what the job needs; what is installed and fits may be left out."""
        ...

    def install(self, job: Job, reinstall: Sequence[NormalizedName], reporter: Reporter) -> None:
        """Install what the job needs, and put the wheels of `reinstall` in place of what has the same version."""
        ...


def run(command: Sequence[str | Path], what: str) -> str:
    """Run a client quietly and give its stdout."""
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise failed(what, done.stderr or done.stdout)
    return done.stdout


def follow(command: Sequence[str | Path], what: str, reporter: Reporter) -> None:
    """Run a client and pass on each line that it prints."""
    done = process.follow(command, lambda line: reporter.note(redact(line)))
    if done.status:
        raise failed(what, done.output)


def failed(what: str, output: str) -> ClientFailed:
    """Return the error for what a client printed: its last words, on one line."""
    text = " ".join(output.split())
    text = text[text.rfind("ERROR: Cannot install") :] if "ERROR: Cannot install" in text else text
    return ClientFailed(
        f"{what} failed: {redact(text[-_TAIL:]) or 'it said nothing'}",
        hint="'variant-publish select NAME --index ...' shows what a project has for this machine",
    )
