"""Other versions of pip than the one of the environment."""

from __future__ import annotations

import atexit
import ensurepip
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest

OLD = "23.2.1"
"""The pip of Python 3.11 and 3.12 in their first releases; many machines have it still."""


@cache
def old_pip() -> tuple[str, ...]:
    """Give the command of pip 23.2.1: of Python's own bundle, else downloaded; skip the test where it cannot be had."""
    if sys.version_info >= (3, 13):
        pytest.skip(f"pip {OLD} is for Python 3.12 and older")
    name = f"pip-{OLD}-py3-none-any.whl"
    bundled = Path(ensurepip.__file__).parent / "_bundled" / name
    wheel = bundled if bundled.exists() else _downloaded(name)
    folder = tempfile.mkdtemp(prefix="variant-publish-tests-")
    atexit.register(shutil.rmtree, folder)
    with zipfile.ZipFile(wheel) as archive:  # unpacked, so that it is compiled once, not at every run
        archive.extractall(folder)
    return (sys.executable, f"{folder}/pip")


def new_pip() -> tuple[str, ...]:
    """Give the command of the environment's pip."""
    return (sys.executable, "-m", "pip")


def _downloaded(name: str) -> Path:
    folder = Path(sys.prefix) / "share" / "variant-publish-tests"
    command = [*new_pip(), "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(folder)]
    done = subprocess.run([*command, f"pip=={OLD}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip {OLD} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    return folder / name
