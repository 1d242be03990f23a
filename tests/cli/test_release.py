from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import Result, run
from support.wheels import make_wheel

GENERIC = "foo-1.0-py3-none-manylinux_2_28_x86_64.whl"
PLUS = "foo-1.0-py3-none-manylinux_2_28_x86_64+cu128.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["manylinux_2_28_x86_64"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.upload]
extra-index = "file:index"
repository-url = "file:repository"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    return tmp_path


def stage(name: str, *options: str) -> Result:
    make_wheel(Path(name), name)
    return run("upload", name, "--stage", "foo-1.0", *options)


def test_jobs_stage_and_one_command_releases() -> None:
    assert "staged for foo-1.0: 1 file sent, 0 already there" in stage(PLUS).stdout
    status = run("release", "foo-1.0", "--status")
    assert status.code == 0
    assert "foo-1.0: open, 1 file," in status.stdout
    assert "missing" in status.stdout
    refused = run("release", "foo-1.0")
    assert refused.code == 1
    assert "nothing is listed" in refused.stdout
    stage(GENERIC)
    planned = run("release", "foo-1.0", "--dry-run")
    assert (planned.code, "file sent" in planned.stdout) == (0, False)
    released = run("release", "foo-1.0")
    assert released.code == 0
    assert "1 file sent, 2 copied on the store" in released.stdout
    assert PLUS in run("index", "list", "foo").stdout
    again = run("release", "foo-1.0")
    assert (again.code, "nothing to do" in again.stdout) == (0, True)


def test_everything_is_there_as_json() -> None:
    sent = json.loads(stage(PLUS, "--format", "json").stdout)
    assert (sent["stage"], sent["sent"], sent["findings"]) == ("foo-1.0", [PLUS], [])
    status = json.loads(run("release", "foo-1.0", "--status", "--format", "json").stdout)
    assert (status["status"], status["files"], status["published"]) == ("open", [PLUS], [])
    assert "missing" in [entry["state"] for entry in status["check"]["releases"][0]["grid"]]
    stage(GENERIC)
    released = json.loads(run("release", "foo-1.0", "--format", "json").stdout)
    assert released["published"][0]["sent"] == [GENERIC]


def test_a_finding_of_a_job_is_told_to_the_job() -> None:
    make_wheel(Path("jobs"), PLUS, tags=["py3-none-any"])
    result = run("upload", "jobs", "--stage", "foo-1.0")
    assert result.code == 0
    assert f"VP103 {PLUS}" in result.stderr


def test_a_stage_can_be_aborted() -> None:
    stage(PLUS)
    assert "foo-1.0 is removed, with 1 file" in run("release", "foo-1.0", "--abort").stdout
    gone = run("release", "foo-1.0", "--abort")
    assert gone.code == 1
    assert "has no staged release 'foo-1.0'" in gone.stderr


def test_what_was_left_alone_is_found_by_gc() -> None:
    stage(PLUS)
    assert "remove the stage foo-1.0" in run("index", "gc", "--stages", "0", "--dry-run").stdout
    assert run("index", "gc", "--stages", "0", "--yes").code == 0
    assert not list(Path("index").rglob("*.whl"))


def test_wrong_use_is_told(project: Path) -> None:
    make_wheel(project / "a", PLUS)
    assert run("upload", "a", "--stage", "x/y").code == 2
    assert run("upload", "a", "--stage", "x", "--dry-run").code == 2
    assert run("release", "x", "--status", "--abort").code == 2


def test_copies_make_the_extra_index_whole_by_itself() -> None:
    make_wheel(Path("all"), PLUS)
    make_wheel(Path("all"), GENERIC)
    assert run("upload", "all", "--generic", "copy").code == 0
    assert (Path("index/foo") / GENERIC).exists()
    assert (Path("repository/foo") / GENERIC).exists()
    assert run("index", "verify", "--deep").code == 0
    assert "nothing to do" in run("upload", "all", "--generic", "copy").stdout
    assert "nothing to do" in run("upload", "all").stdout, "a copy that is there stays"


def test_a_link_becomes_a_copy_when_copies_are_asked_for() -> None:
    make_wheel(Path("all"), GENERIC)
    run("upload", "all")
    assert not (Path("index/foo") / GENERIC).exists()
    assert run("upload", "all", "--generic", "copy").code == 0
    listed = json.loads(run("index", "list", "foo", "--format", "json").stdout)
    assert [file["url"] for file in listed["files"] if file["filename"] == GENERIC] == [GENERIC]
