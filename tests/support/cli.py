"""Run the command line inside the test's process, as `main` runs it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from variant_publish.cli.main import run as run_main


@dataclass(frozen=True)
class Result:
    """What a run gave: exit code and both streams."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Result:
    """Run `variant-publish ARGUMENTS`."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_main(list(arguments), prog_name="variant-publish")
    return Result(code, out.getvalue(), err.getvalue())
