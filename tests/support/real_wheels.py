"""Real wheels of PyPI, downloaded once into a cache."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def wheel_of(requirement: str, python: str = "3.12") -> Path:
    """Return the wheel of a pinned requirement; the test is skipped where the index cannot be reached."""
    place = Path(tempfile.gettempdir(), "variant-publish-real-wheels", requirement.replace("==", "-") + f"-{python}")
    if not (found := list(place.glob("*.whl"))):
        platforms = [word for name in PLATFORMS for word in ("--platform", name)]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *platforms]
        done = subprocess.run(
            [*command, "--python-version", python, "-d", str(place), requirement],
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"{requirement} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
        found = list(place.glob("*.whl"))
    return found[0]
