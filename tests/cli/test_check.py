from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.binaries import VEX, elf
from support.checks import LINUX
from support.cli import run
from support.wheels import make_wheel
from variant_publish.check.engine.registry import RULES

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Give a folder with a wheel that has one warning and one error of its code."""
    files = {"foo/a.so": elf(functions=[VEX] * 60)}
    make_wheel(tmp_path / "dist", PLAIN, tags=["cp312-cp312-linux_x86_64"], files=files)
    return tmp_path / "dist"


def test_all_rules_can_be_listed() -> None:
    result = run("check", "--list")
    assert result.code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == len(RULES)
    assert "VP503  error    every claimed GPU architecture is in the binaries" in lines
    table = json.loads(run("check", "--list", "--format", "json").stdout)
    assert table["rules"][0] == {"id": "VP101", "severity": "error", "title": "every file can be read as a wheel"}


def test_a_rule_can_be_explained() -> None:
    result = run("check", "--explain", "vp503")
    assert result.code == 0
    assert result.stdout.startswith("# VP503: every claimed GPU architecture is in the binaries\n")
    wrong = run("check", "--explain", "VP000")
    assert wrong.code == 2
    assert "'VP000' is the id of no rule" in wrong.stderr


def test_no_wheels_are_a_wrong_use() -> None:
    result = run("check")
    assert result.code == 2
    assert "no wheels are named" in result.stderr


def test_rules_can_be_chosen(wheels: Path) -> None:
    assert run("check", str(wheels)).code == 1
    result = run("check", str(wheels), "--select", "VP1", "--ignore", "VP104", "--format", "json")
    assert result.code == 0
    assert json.loads(result.stdout)["findings"] == []
    assert run("check", str(wheels), "--ignore", "VP77").code == 2


def test_a_fast_check_disassembles_nothing(wheels: Path) -> None:
    assert [one["id"] for one in json.loads(run("check", str(wheels), "--format", "json").stdout)["findings"]] == [
        "VP513",
        "VP104",
    ]
    assert run("check", str(wheels), "--fast").code == 0


def test_ignores_of_the_configuration_are_shown(wheels: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text(
        '[check]\nignore = [{ id = "VP5", reason = "needs AVX" }, { id = "VP2", reason = "old" }]\n', "utf-8"
    )
    result = run("check", str(wheels), "--config", str(config))
    assert result.code == 0
    assert "ignored VP5: 1 finding (needs AVX)" in result.stdout
    assert "ignored VP2: nothing, take it out of the configuration (old)" in result.stdout


def test_one_run_writes_several_formats(wheels: Path, tmp_path: Path) -> None:
    text, sarif = tmp_path / "check.txt", tmp_path / "check.sarif"
    result = run("check", str(wheels), "--format", "json", "--also", f"text={text}", "--also", f"sarif={sarif}")
    alone = run("check", str(wheels), "--format", "json")
    assert (result.code, result.stdout) == (alone.code, alone.stdout)
    assert "python" in text.read_text("utf-8")
    assert json.loads(sarif.read_text("utf-8"))["version"] == "2.1.0"
    for wrong in ("text", "text=", f"xml={text}"):
        assert run("check", str(wheels), "--also", wrong).code == 2


@pytest.mark.parametrize("output", ["text", "json", "github", "sarif", "junit", "html"])
def test_every_format_can_go_to_a_file(wheels: Path, tmp_path: Path, output: str) -> None:
    target = tmp_path / "report"
    result = run("check", str(wheels), "--format", output, "-o", str(target))
    assert (result.code, result.stdout) == (1, "")
    assert "VP513" in target.read_text("utf-8")
