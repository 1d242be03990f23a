"""Run other programs, and pass on what they print while they run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from variant_publish.errors import VariantPublishError


class Finished(msgspec.Struct, frozen=True):
    """How a program ended: its exit status, and all that it printed."""

    status: int
    output: str


def follow(
    command: Sequence[str | Path],
    say: Callable[[str], object],
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end; each line that it prints, on either stream, goes to `say` at once.

    It gets no input. Raises VariantPublishError where it cannot be started at all.
    """
    try:
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env=None if environ is None else dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise VariantPublishError(
            f"{command[0]} cannot be run ({error.strerror or error})", hint="install it, or name another one"
        ) from error
    lines = []
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                say(lines[-1])
        except BaseException:
            process.terminate()
            raise
    return Finished(process.returncode, "\n".join(lines))
