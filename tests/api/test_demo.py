from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.wheels import make_wheel
from variant_publish.api import demo


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Give a folder where stand-ins of the two wheels lie, as after a first run."""
    folder = tmp_path / "demo" / "downloads"
    headers = ["Requires-Python: >=3.12"]
    make_wheel(folder, demo.GENERIC_WHEEL, headers=headers, requires=["numpy"])
    nccl = 'nvidia-nccl-cu13; platform_system == "Linux"'
    make_wheel(folder, demo.VARIANT_WHEEL, headers=headers, requires=["numpy", nccl])
    return folder


def test_the_whole_job_runs_and_says_who_gets_what(downloads: Path) -> None:
    result = run("demo", "--folder", str(downloads.parent))
    assert result.code == 0, result.stderr
    assert "reused" in result.stdout
    assert "0 errors, 0 warnings" in result.stdout
    rows = [line for line in result.stdout.splitlines() if "CUDA" in line or "GPU" in line]
    assert [("cu130" in row) for row in rows] == [False, False, True]
    index = downloads.parent / "extra-index" / "xgboost"
    listed = {file["filename"] for file in json.loads((index / "index.json").read_text())["files"]}
    generic = demo.GENERIC_WHEEL.replace("xgboost_cpu", "xgboost")
    variant = generic.replace(".whl", "+cu130.whl")
    assert {generic, variant, variant.replace("+", "-")} <= listed
    assert not (index / generic).exists()
    assert (downloads.parent / "repository" / "xgboost" / generic).exists()


def test_a_second_run_finds_nothing_to_do(downloads: Path) -> None:
    assert run("demo", "--folder", str(downloads.parent)).code == 0
    again = run("demo", "--folder", str(downloads.parent))
    assert again.code == 0, again.stderr
    assert "nothing to do" in again.stdout


def test_without_a_network_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    result = run("demo", "--folder", str(tmp_path / "demo"))
    assert result.code == 1
    assert "the package index cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr
