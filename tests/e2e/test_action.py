"""The GitHub Action does what its page says: its scripts are run by bash, as a runner runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.wheels import make_wheel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bash") is None, reason="runners have bash, this machine has not"),
]

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "publish" / "action.yml"
LINUX = "manylinux_2_28_x86_64"
CONFIG = f"""
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["cp312-cp312"]
platform = ["{LINUX}"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""


class Runner:
    """Run the steps of the action in a folder, with a runner's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.action: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
        self.summary, self.output = folder / "summary.md", folder / "output.txt"
        scripts = folder / "temp" / "variant-publish" / "bin"
        scripts.mkdir(parents=True)
        (scripts / "variant-publish").symlink_to(Path(sys.executable).parent / "variant-publish")

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = next(step for step in self.action["runs"]["steps"] if step["name"] == name)
        given = {key: str(value.get("default", "")) for key, value in self.action["inputs"].items()} | inputs
        environment = {
            key: given[text.removeprefix("${{ inputs.").removesuffix(" }}")] for key, text in step["env"].items()
        }
        environment |= {
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.output),
        }
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.folder, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip

    def outputs(self) -> dict[str, Any]:
        """Read what the steps gave as outputs, in the form with a delimiter."""
        parts = self.output.read_text().split("VARIANT_PUBLISH\n")
        return {parts[i].removesuffix("<<"): json.loads(parts[i + 1]) for i in range(0, len(parts) - 1, 2)}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    make_wheel(tmp_path / "wheelhouse", f"foo-1.0-cp312-cp312-{LINUX}.whl")
    return Runner(tmp_path)


def test_a_hole_fails_the_check_with_an_annotation_and_a_grid(runner: Runner) -> None:
    done = runner.step("Check")
    assert done.returncode == 1
    assert "::error title=VP301" in done.stdout
    assert "cu128" in runner.summary.read_text()
    assert [finding["id"] for finding in runner.outputs()["findings"]["findings"]] == ["VP301"]
    report = Path(runner.output.read_text().rpartition("report=")[2].strip())
    assert json.loads(report.read_text("utf-8")) == runner.outputs()["findings"]


def test_a_wrong_use_fails_the_step_with_its_sentence(runner: Runner) -> None:
    done = runner.step("Check", wheels="nowhere")
    assert done.returncode == 2
    assert "nowhere does not exist" in done.stderr
    assert not runner.output.exists() or "findings" not in runner.output.read_text()


def test_a_whole_release_is_planned_and_published(runner: Runner) -> None:
    make_wheel(runner.folder / "wheelhouse", f"foo-1.0-cp312-cp312-{LINUX}+cu128.whl")
    check = runner.step("Check", **{"fail-on": "warning"})
    assert check.returncode == 0, check.stdout + check.stderr
    dry = runner.step("Upload", upload="dry-run")
    assert dry.returncode == 0, dry.stderr
    assert not (runner.folder / "dist-index").exists()
    done = runner.step("Upload", upload="true")
    assert done.returncode == 0, done.stderr
    assert (runner.folder / "dist-index" / "foo" / "index.json").exists()
    assert {file["destination"] for file in runner.outputs()["plan"]["releases"][0]["files"]} == {"extra-index"}
    assert "goes to" in runner.summary.read_text()


def test_the_readme_names_the_place_of_the_action() -> None:
    assert str(ACTION.parent.relative_to(ROOT)) in (ROOT / "README.md").read_text("utf-8")
