from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from support.cli import run
from support.projects import make_project
from variant_publish.build.cibuildwheel_config import configured, extended
from variant_publish.model.build_job import BuildSettings

SETTINGS = BuildSettings({"level": ("v3",), "flags": ("-a", "it's $HOME")}, {"CFLAGS": "-O3 '-DX=\"1 $HOME\"'"})
OWN = """
[tool.cibuildwheel]
config-settings = { own = "1" }
environment = { A = "b" }
"""
VARIANT = """
[tool.variant-publish.variants.x86_64_v3]
properties = ["x86_64 :: level :: v3"]
build = { config-settings = { level = "v3", flags = ["-a", "it's $HOME"] }, env = { CFLAGS = "-O3 '-DX=\\"1 $HOME\\"'" } }
[tool.variant-publish.build]
frontend = "cibuildwheel"
"""


@pytest.mark.parametrize(
    "text",
    ["", OWN, f'{OWN}[[tool.cibuildwheel.overrides]]\nselect = "cp312-*"\nbuild-verbosity = 1\n',
     '[tool.cibuildwheel]\noverrides = [{ select = "cp312-*", build-verbosity = 1 }]\n'],
)  # fmt: skip
def test_the_override_comes_last_and_everything_else_stays(text: str) -> None:
    before = tomllib.loads(text).get("tool", {}).get("cibuildwheel", {})
    after = tomllib.loads(configured(text, SETTINGS))["tool"]["cibuildwheel"]
    [*others, ours] = after.pop("overrides")
    assert others == before.pop("overrides", [])
    assert after == before
    assert ours["select"] == "*"
    assert ours["inherit"] == {"config-settings": "append", "environment": "append"}
    assert set(ours) == {"select", "inherit", "config-settings", "environment"}


def test_nothing_asked_for_changes_nothing() -> None:
    assert configured(OWN, BuildSettings()) == OWN
    assert extended({"CIBW_ENVIRONMENT": "A=b"}, BuildSettings()) == {"CIBW_ENVIRONMENT": "A=b"}


def test_variables_that_go_over_every_file_get_the_settings_too() -> None:
    given = {
        "CIBW_ENVIRONMENT_LINUX": "A=b",
        "CIBW_ENVIRONMENT_PASS_LINUX": "B",
        "CIBW_CONFIG_SETTINGS": "x=y",
        "PATH": "p",
    }
    assert extended(given, BuildSettings({"level": ("v3",)}, {"CFLAGS": "-O3 -g"})) == {
        **given, "CIBW_ENVIRONMENT_LINUX": 'A=b CFLAGS="-O3 -g"', "CIBW_CONFIG_SETTINGS": "x=y level=v3",
    }  # fmt: skip


def test_the_shell_of_cibuildwheel_expands_nothing_in_a_value() -> None:
    from cibuildwheel.environment import parse_environment

    parsed = parse_environment(f'A="b" {SETTINGS.cibuildwheel_environment}')
    assert parsed.as_dictionary({"HOME": "/home/nobody"}) == {"HOME": "/home/nobody", "A": "b", **SETTINGS.env}


def test_variables_that_add_to_the_file_need_no_settings() -> None:
    given = {"CIBW_CONFIG_SETTINGS": "x=y", "CIBW_INHERIT": "config-settings: append"}
    assert extended(given, BuildSettings({"level": ("v3",)})) == given


@pytest.mark.slow
@pytest.mark.package_index
def test_cibuildwheel_itself_understands_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the real one up to its container, which is not to be had: what it printed before tells what it read."""
    project = make_project(tmp_path / "project", OWN + VARIANT)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    for name in ("CIBW_ENVIRONMENT", "CIBW_CONFIG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    out = tmp_path / "out"
    arguments = ("--variant", "x86_64_v3", "-o", str(out), "--", "--only", "cp312-manylinux_x86_64")
    # The sdist needs no download: the project's backend is its own, and it requires nothing.
    result = run("build", str(project), *arguments)
    assert result.code == 1, result.stderr
    assert re.search(r"error: cibuildwheel failed for variant 'x86_64_v3' with exit code [0-9]+", result.stderr)
    assert [path.suffixes[-2:] for path in out.iterdir()] == [[".tar", ".gz"]]  # the sdist alone
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)
    settings = re.search(r"config_settings:\s*(?:\*: own=1\s*cp312-manylinux_x86_64: )?(.*)", plain)
    assert settings is not None
    assert shlex.split(settings[1]) == ["own=1", "level=v3", "flags=-a", "flags=it's $HOME"]
    environment = plain.partition("environment:")[2].partition("manylinux_images:")[0]
    assert 'A="b"' in environment
    assert 'BUILD_VARIANT="x86_64_v3"' in environment
    assert "CFLAGS=" in environment
