"""Run the program as a user does, and measure what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST_LIMIT = 60


@dataclass(frozen=True)
class Measured:
    """How a run ended: seconds of CPU time, with those of its own processes, and the peak of memory in MiB."""

    exit_code: int
    seconds: float
    peak: float
    output: str


# A child counts the memory that its parent had when it was forked, so the parent is a small process.
_LAUNCH = f"""
import json, os, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_CPU, ({HOST_LIMIT}, {HOST_LIMIT}))
if sys.platform == "linux":
    resource.setrlimit(resource.RLIMIT_AS, (3 * 1024**3, 3 * 1024**3))
with open("output", "wb") as output:
    process = subprocess.Popen([sys.executable, "-m", "variant_publish", *sys.argv[1:]], stdout=output, stderr=output)
    _, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


def measured(*arguments: str | Path, cwd: Path) -> Measured:
    """Run `variant-publish` with the arguments; it is killed long after it should have ended."""
    if not hasattr(os, "wait4"):
        pytest.skip("this system does not say what a process took")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, arguments)],
        cwd=cwd, capture_output=True, check=True, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "500"},
    )  # fmt: skip
    code, seconds, peak = json.loads(done.stdout)
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return Measured(code, seconds, peak / unit, (cwd / "output").read_text("utf-8", "replace"))
