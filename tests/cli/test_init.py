from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.cli import run
from support.wheels import make_wheel
from variant_publish.config import Config

LINUX = "manylinux_2_28_x86_64"
TEXT = """\
# kept as it is
[project]
name = "foo"   # and this

[tool.cibuildwheel]
build = "cp311-* cp312-*"
manylinux-x86_64-image = "manylinux_2_28"

[tool.other]
a = 1
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(TEXT)
    return tmp_path


def test_the_matrix_comes_from_cibuildwheel_and_properties_from_usual_names() -> None:
    result = run(
        "init",
        "--variant",
        "cu128",
        "--variant",
        "x86_64_v3",
        "--extra-index",
        "s3://b/simple",
        "--repository",
        "pypi",
        "--yes",
    )
    assert result.code == 0, result.stderr
    text = Path("pyproject.toml").read_text()
    assert text.startswith(TEXT.rstrip())
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.python == ("cp311-cp311", "cp312-cp312")
    assert config.matrix.platform == (LINUX,)
    assert str(config.variants["cu128"].properties) == "nvidia :: cuda_version_lower_bound :: 12.8"
    assert str(config.variants["x86_64_v3"].properties) == "x86_64 :: level :: v3"
    assert (config.upload.repository, config.upload.extra_index) == ("pypi", "s3://b/simple")


def test_the_matrix_comes_from_wheels_where_there_are_some(project: Path) -> None:
    for python in ("cp312-cp312", "cp313-cp313"):
        wheel = make_wheel(project / "dist", f"foo-1.0-{python}-{LINUX}.whl")
        label = ["--label", "fast", "--property", "x86_64 :: level :: v4"]
        assert run("retag", str(wheel), *label, "-o", "dist").code == 0
    assert run("init", "--wheels", "dist", "--yes").code == 0
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.python == ("cp312-cp312", "cp313-cp313")
    assert str(config.variants["fast"].properties) == "x86_64 :: level :: v4"


def test_a_second_run_changes_nothing_and_what_is_there_stays() -> None:
    arguments = ("init", "--variant", "cu128", "--repository", "pypi", "--yes")
    run(*arguments)
    before = Path("pyproject.toml").read_text()
    assert "nothing to do" in run(*arguments).stdout
    changed = run(
        "init", "--variant", "cu128=nvidia :: cuda_version_lower_bound :: 13.0", "--repository", "other", "--yes"
    )
    assert "nothing to do" in changed.stdout
    assert Path("pyproject.toml").read_text() == before


def test_without_a_terminal_and_without_yes_only_the_diff_is_shown() -> None:
    result = run("init", "--variant", "cu128")
    assert result.code == 0
    assert "+[tool.variant-publish.variants.cu128]" in result.stdout
    assert "--yes" in result.stderr
    assert Path("pyproject.toml").read_text() == TEXT


def test_a_project_without_a_pyproject_gets_one() -> None:
    Path("pyproject.toml").unlink()
    assert run("init", "--variant", "cu130", "--yes").code == 0
    assert Config.load().variant("cu130").tags == ("cu130",)


def test_the_workflow_runs_commands_that_exist() -> None:
    from variant_publish.cli.main import COMMANDS

    assert run("init", "--variant", "cu128", "--workflow", "--yes").code == 0
    text = Path(".github/workflows/variant-wheels.yml").read_text()
    commands = set(re.findall(r"variant-publish ([a-z-]+)", text)) - {"init", "cibuildwheel"}  # the last is injected beside it
    assert commands == {"plan-matrix", "build", "check", "metadata", "upload"}
    assert commands <= set(COMMANDS)
    assert "${{ fromJSON(needs.plan.outputs.matrix) }}" in text
    Path(".github/workflows/variant-wheels.yml").write_text("mine\n")
    assert run("init", "--variant", "cu128", "--workflow", "--yes").code == 0
    assert Path(".github/workflows/variant-wheels.yml").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "fast"], "does not tell what the variant needs"),
        (["--variant", "Fast=a :: b :: c"], "characters"),
        (["--variant", "fast=a :: b"], "three parts"),
        (["--variant", "fast=acme :: b :: c"], "no known provider"),
        (["--wheels", "nowhere"], "does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(arguments: list[str], message: str) -> None:
    result = run("init", *arguments, "--yes")
    assert result.code == 2, result.stdout
    assert message in result.stderr
    assert Path("pyproject.toml").read_text() == TEXT
