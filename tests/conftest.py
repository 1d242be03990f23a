"""What all tests share: the order in which they run, settings of property tests, and servers.

A server is imported and started when the first test asks for it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from support.moto import Moto

# The tests start Python a thousand times; without bytecode each start compiles whatever it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, no file
_ENOUGH = 4 << 30


def _keep_files_in_memory() -> None:
    """Let temporary folders be in memory where it has room: the disk is what half of the tests would wait for."""
    if "TMPDIR" in os.environ or not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        return
    if os.access(_MEMORY, os.W_OK) and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # pytest has asked already


if sys.platform == "linux":
    _keep_files_in_memory()

# A machine under load is slow, which is no fault of what is tested; examples that a filter throws away are.
settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("VARIANT_PUBLISH_EXAMPLES", "30")),
)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, those of known length before: what begins last would keep one worker busy alone."""
    items.sort(key=_seconds, reverse=True)


def _seconds(item: pytest.Item) -> int:
    slow = item.get_closest_marker("slow")
    seconds: int = 0 if slow is None else slow.kwargs.get("seconds", 1)
    return seconds


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what installs from the package index where that does not answer."""
    if item.get_closest_marker("package_index"):
        from support.pips import need_package_index

        need_package_index()


@pytest.fixture(scope="session")
def moto_of_the_run() -> Iterator[Moto]:
    from support.moto import moto_server

    with moto_server() as server:
        yield server


@pytest.fixture
def moto(moto_of_the_run: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Moto:
    """Return an S3 server with one empty bucket, and credentials for it."""
    from support.moto import give_credentials

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    give_credentials(monkeypatch)
    moto_of_the_run.reset()
    return moto_of_the_run
