"""`variant-publish index`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import Result, run
from support.publishing import GENERIC, PLUS
from support.publishing import run as publish
from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.release.release import load

CONFIG = """
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.upload]
extra-index = "file:index"
"""


@pytest.fixture(autouse=True)
def _index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a release and an old nightly one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    for folder, names in (("dist", (GENERIC, PLUS)), ("nightly", (GENERIC.replace("1.0", "1.1.dev1"),))):
        for name in names:
            make_wheel(tmp_path / folder, name)
        publish(load([tmp_path / folder], Config.load()).only())


def index(*arguments: str) -> Result:
    result = run("index", *arguments)
    assert result.code in (0, 1), result.stderr
    return result


def test_what_is_there_is_listed() -> None:
    assert index("list").stdout == "foo-bar\n"
    assert json.loads(index("list", "--format", "json").stdout)["projects"] == ["foo-bar"]
    assert PLUS in index("list", "foo-bar").stdout
    assert json.loads(index("list", "foo-bar", "--format", "json").stdout)["versions"] == ["1.0", "1.1.dev1"]


def test_a_yank_and_back() -> None:
    assert "4 index pages written" in index("yank", "foo-bar", "1.0", "--reason", "broken").stdout
    assert "broken" in index("list", "foo-bar").stdout
    assert "nothing to do" in index("yank", "foo-bar", "1.0", "--reason", "broken").stdout
    index("unyank", "foo-bar", "1.0")
    assert "broken" not in index("list", "foo-bar").stdout


def test_verify_tells_by_its_exit_code(tmp_path: Path) -> None:
    assert "the index is sound" in index("verify", "--deep").stdout
    (tmp_path / "index/foo-bar/index.html").write_text("old")
    result = index("verify")
    assert result.code == 1
    assert "--repair" in result.stdout
    assert index("verify", "--repair").code == 0
    assert json.loads(index("verify", "--format", "json").stdout)["sound"] is True


def test_nothing_is_removed_without_a_yes(tmp_path: Path) -> None:
    assert PLUS in index("remove", "foo-bar", "1.0", "--dry-run").stdout
    refused = run("index", "remove", "foo-bar", "1.0")
    assert (refused.code, "--yes" in refused.stderr) == (2, True)
    assert (tmp_path / "index/foo-bar" / PLUS).exists()
    index("remove", "foo-bar", "1.0", "--yes")
    assert not (tmp_path / "index/foo-bar" / PLUS).exists()


def test_the_cleaning_prints_its_plan_first() -> None:
    assert "remove foo-bar 1.1.dev1" in index("gc", "foo-bar", "--keep", "0", "--uploads", "7", "--dry-run").stdout
    index("gc", "foo-bar", "--keep", "0", "--yes")
    assert json.loads(index("list", "foo-bar", "--format", "json").stdout)["versions"] == ["1.0"]
    assert "nothing to do" in index("gc", "--uploads", "7").stdout
    for wrong in (["foo-bar"], ["--keep", "1"], []):
        assert run("index", "gc", *wrong).code == 2


def test_a_status_and_an_adoption() -> None:
    assert index("status", "foo-bar").stdout == "active\n"
    index("status", "foo-bar", "deprecated", "--reason", "see baz")
    assert index("status", "foo-bar").stdout == "deprecated: see baz\n"
    assert "deprecated" in index("list", "foo-bar", "--format", "json").stdout
    assert "0 pages written" in index("adopt").stdout
