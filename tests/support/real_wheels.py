"""Real wheels of PyPI, downloaded once and kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "variant-publish-tests"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def wheel_of(requirement: str, *platforms: str, python: str = "3.12") -> Path:
    """Return the wheel of a pinned requirement; the test is skipped where the index cannot be reached."""
    wanted = platforms or PLATFORMS
    place = FOLDER / f"{requirement.replace('==', '-')}-{python}-{wanted[0]}"
    if not (found := list(place.glob("*.whl"))):
        names = [word for name in wanted for word in ("--platform", name)]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *names]
        done = subprocess.run(
            [*command, "--python-version", python, "-d", str(place), requirement],
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=600,
        )  # fmt: skip
        if done.returncode or not (found := list(place.glob("*.whl"))):
            pytest.skip(f"{requirement} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return found[0]
