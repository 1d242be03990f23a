"""Wheels of other projects, downloaded from PyPI once and kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "variant-publish-tests" / "wheels"


def real_wheel(project: str, version: str, *platforms: str, python: str = "3.12") -> Path:
    """Return a published wheel; skip the test where it can be downloaded neither now nor before."""
    name = project.replace("-", "_")
    family = platforms[0].rpartition("_")[2]

    def found() -> list[Path]:
        return sorted(path for path in FOLDER.glob(f"{name}-{version}-*{family}*.whl") if platforms[0][:5] in path.name)

    if not found():
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", FOLDER,
             *(f"--platform={platform}" for platform in platforms), f"--python-version={python}", f"{project}=={version}"],
            capture_output=True, encoding="utf-8", timeout=500, check=False,
        )  # fmt: skip
        if done.returncode or not found():
            pytest.skip(f"{project} {version} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return found()[0]
