from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.checks import PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules import destination
from variant_publish.check.rules.destination import FileSize

UPLOAD = '[tool.variant-publish.upload]\nrepository = "pypi"\nlarge = "{}"\n'


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destination, "FILE_LIMIT", 500_000)  # a test writes no 100 MiB


def test_small_files_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(FileSize(), tmp_path) == {"pass": 1}


def test_large_files_fail_but_where_they_go_elsewhere(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/noise.bin": random.Random(1).randbytes(1_000_000)})  # noqa: S311
    assert failures(FileSize(), tmp_path) == ["it has 1 MB, PyPI takes 0 MB"]
    assert verdicts(FileSize(), tmp_path, UPLOAD.format("2 MB")) == {"fail": 1}
    assert verdicts(FileSize(), tmp_path, UPLOAD.format("900 kB")) == {"pass": 1}


def test_variants_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS)
    assert verdicts(FileSize(), tmp_path) == {"skip": 1}
