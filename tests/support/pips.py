"""Real pips of several years, unpacked once for all runs of an environment of tests: none has to be made for them."""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from filelock import FileLock
from twine.utils import DEFAULT_REPOSITORY

PIPS = {
    "23.3.2": "5052d7889c1f9d05224cd41741acb7c5d6fa735ab34e339624a614eaaa7e7d76",
    "24.3.1": "3790624780082365f47549d032f3770eeb2b1e8bd1f7b2e02dace1afa361b4ed",
    "25.3": "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd",
    "26.0": "98436feffb9e31bc9339cf369fd55d3331b1580b6a6f1173bacacddcf9c34754",
}
"""Version -> SHA-256 of its wheel."""

_PLACE = Path(sys.prefix) / "share" / "variant-publish-tests"
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP")


@dataclass(frozen=True)
class RealPip:
    """The folder of one pip; `run` runs it with the Python of the tests."""

    folder: Path

    def run(self, *args: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run pip without configuration and cache (unless `env` says otherwise), and give the finished process."""
        bare = {name: os.environ[name] for name in _KEPT if name in os.environ}
        bare |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        return subprocess.run(
            [sys.executable, str(self.folder / "pip"), *map(str, args)],
            env={**bare, **(env or {})},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


@cache
def package_index_answers() -> bool:
    """Return whether the package index can be asked."""
    host = f"https://{urlsplit(DEFAULT_REPOSITORY).hostname}".replace("upload.", "")
    try:
        return requests.head(f"{host}/simple/pip/", timeout=5).status_code < 500
    except requests.RequestException:
        return False


def need_package_index() -> None:
    """Skip the test where the package index does not answer."""
    if not package_index_answers():
        pytest.skip("needs the package index, which does not answer")


def _unpacked(version: str, fetch: Callable[[Path], Path]) -> Path:
    """Return the folder of a pip; in a wheel it would be compiled at every run."""
    folder = _PLACE / f"pip-{version}"
    _PLACE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=_PLACE) as name, zipfile.ZipFile(fetch(Path(name))) as archive:
                archive.extractall(Path(name, "pip"))
                Path(name, "pip").rename(folder)
    return folder


def _download(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*new_pip(), "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(folder)]
    return subprocess.run([*command, *arguments], capture_output=True, encoding="utf-8", check=False)


def fetch_pip(version: str) -> RealPip:
    """Download a pip, with its hash, by the pip that is installed; skip the test where that is offline."""

    def fetch(folder: Path) -> Path:
        need_package_index()
        requirements = folder / "pip.txt"
        requirements.write_text(f"pip=={version} --hash=sha256:{PIPS[version]}\n")
        _download(folder, "--require-hashes", "-r", str(requirements)).check_returncode()
        return folder / f"pip-{version}-py3-none-any.whl"

    return RealPip(_unpacked(version, fetch))


OLD = "23.2.1"
"""The pip of Python 3.11 and 3.12 in their first releases; many machines have it still."""


@cache
def old_pip() -> tuple[str, ...]:
    """Return the command of pip 23.2.1: of Python's own bundle, else downloaded; skip the test where it cannot be had."""
    if sys.version_info >= (3, 13):
        pytest.skip(f"pip {OLD} is for Python 3.12 and older")

    def fetch(folder: Path) -> Path:
        name = f"pip-{OLD}-py3-none-any.whl"
        bundled = Path(ensurepip.__file__).parent / "_bundled" / name
        if bundled.exists():
            return bundled
        done = _download(folder, f"pip=={OLD}")
        if done.returncode != 0:
            pytest.skip(f"pip {OLD} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
        return folder / name

    return (sys.executable, str(_unpacked(OLD, fetch) / "pip"))


def new_pip() -> tuple[str, ...]:
    """Return the command of the environment's pip."""
    return (sys.executable, "-m", "pip")
