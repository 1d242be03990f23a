"""What retags, checks, uploads, installs and serves works without Linux's calls, and renames no open file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("archive", "cli", "index", "install", "publish", "serve", "store")


@pytest.mark.slow(seconds=60)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux is made to behave as Windows")
def test_the_fast_tests_pass_where_open_files_are_neither_renamed_nor_removed() -> None:
    folders = [f"tests/{part}" for part in PARTS if (ROOT / "tests" / part).is_dir()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "support.windows", "-p", "no:cacheprovider", "-m", "not slow", *folders],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", last)
    assert passed is not None
    assert int(passed[1]) > 300, last
