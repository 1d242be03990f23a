from __future__ import annotations

import json
import shlex
from pathlib import Path

from support.cli import run
from support.wheels import make_wheel

LINUX = "manylinux_2_28_x86_64"
CONFIG = f"""
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "win_amd64"]
skip = [{{ python = "cp311-cp311", platform = "win_amd64", reason = "no toolchain" }}]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
platform = ["{LINUX}"]
"""


def cells(*arguments: str) -> set[tuple[str, str, str]]:
    result = run("plan-matrix", "--format", "github", *arguments)
    assert result.code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    return {(job["python"], job["platform"], job["variant"]) for job in json.loads(result.stdout)["include"]}


def test_the_jobs_are_the_cells_that_check_asks_for(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    whole = {
        ("cp311-cp311", LINUX, "generic"), ("cp312-cp312", LINUX, "generic"), ("cp312-cp312", "win_amd64", "generic"),
        ("cp311-cp311", LINUX, "cu128"), ("cp312-cp312", LINUX, "cu128"),
    }  # fmt: skip
    assert cells("--config", str(config)) == whole
    wheel = make_wheel(tmp_path / "out", f"foo-1.0-cp312-cp312-{LINUX}.whl")
    run("retag", str(wheel), "--variant", "cu128", "--config", str(config), "-o", str(wheel.parent))
    make_wheel(tmp_path / "out", f"foo-1.0-cp311-cp311-{LINUX}+cu128.whl")  # one dialect of two: still to be built
    missing = cells("--config", str(config), "--missing", str(tmp_path / "out"))
    assert missing == whole - {("cp312-cp312", LINUX, "generic"), ("cp312-cp312", LINUX, "cu128")}


def test_a_job_has_the_settings_of_its_variant(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    build = '{ config-settings = { level = "v 3", flags = ["-a", "-b"] }, env = { CFLAGS = "-O3 -g" } }'
    config.write_text(f"{CONFIG}build = {build}\n")
    jobs = json.loads(run("plan-matrix", "--format", "github", "--config", str(config)).stdout)["include"]
    found = {job["variant"]: job for job in jobs}
    assert shlex.split(found["cu128"]["config-settings"]) == ["-Clevel=v 3", "-Cflags=-a", "-Cflags=-b"]
    assert found["cu128"]["env"] == {"CFLAGS": "-O3 -g"}
    assert found["cu128"]["cibw-config-settings"] == "'level=v 3' flags=-a flags=-b"
    assert found["cu128"]["cibw-environment"] == 'CFLAGS="-O3 -g"'
    assert "-Cflags=-b" in run("plan-matrix", "--config", str(config)).stdout
    assert (found["generic"]["config-settings"], found["generic"]["env"]) == ("", {})


def test_an_empty_folder_lacks_every_cell(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    (tmp_path / "out").mkdir()
    assert cells("--config", str(config), "--missing", str(tmp_path / "out")) == cells("--config", str(config))


def test_without_a_matrix_one_sentence_says_so(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text("")
    result = run("plan-matrix", "--config", str(config))
    assert result.code == 2
    assert "declares no matrix" in result.stderr


def test_the_text_form_counts_the_jobs(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    result = run("plan-matrix", "--config", str(config))
    assert result.stdout.endswith("5 jobs\n")
    assert "cp312-manylinux_x86_64" in result.stdout


ZIPPED = CONFIG.replace(f'platform = ["{LINUX}", "win', f'platform = ["{LINUX}", "manylinux_2_34_x86_64", "win').replace(
    f'platform = ["{LINUX}"]', """
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
[[tool.variant-publish.matrix.zip]]
variant  = ["generic", "cu128", "cu130"]
platform = ["manylinux_2_28_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64"]
gcc      = ["12", "12", "14"]
runs-on  = ["", "", "gpu"]
"""
)  # fmt: skip


def test_axes_that_move_together_do_so_in_the_jobs(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text(ZIPPED)
    result = run("plan-matrix", "--format", "json", "--config", str(config))
    jobs = [job for job in json.loads(result.stdout)["jobs"] if job["python"] == "cp312-cp312"]
    assert [(job["variant"], job["platform"], job["gcc"], job["runs-on"]) for job in jobs] == [
        ("generic", "manylinux_2_28_x86_64", "12", "ubuntu-latest"),
        ("generic", "win_amd64", "", "windows-latest"),
        ("cu128", "manylinux_2_28_x86_64", "12", "ubuntu-latest"),
        ("cu128", "win_amd64", "", "windows-latest"),
        ("cu130", "manylinux_2_34_x86_64", "14", "gpu"),
        ("cu130", "win_amd64", "", "windows-latest"),
    ]
    assert "gcc" in run("plan-matrix", "--config", str(config)).stdout
