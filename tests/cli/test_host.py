from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.environments import CONFIG, PLAIN
from support.wheels import make_wheel
from variant_publish.formats.host_file import HostFile
from variant_publish.providers.machine import Machine


@pytest.fixture
def index(tmp_path: Path) -> str:
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG.format(dialect='plus", "pep825'))
    source = make_wheel(tmp_path / "out", PLAIN)
    arguments = ("--config", str(config), "-o", str(tmp_path / "out"))
    for variant in ("cu128", "cu130"):
        assert run("retag", str(source), "--variant", variant, *arguments).code == 0
    assert run("metadata", str(tmp_path / "out"), "--config", str(config)).code == 0
    return str(tmp_path / "out")


def test_a_stored_machine_makes_the_same_choices_elsewhere(index: str, tmp_path: Path) -> None:
    file = tmp_path / "variants.toml"
    platform = ("--platform", "manylinux_2_28_aarch64", "--python-version", "3.13t")
    assert run("host", "--set", "cuda=12.9", "--set", "sm_arch=9.0", *platform, "--save", str(file)).code == 0
    stored = HostFile.parse(file.read_text())
    assert (stored.python, stored.platform, stored.values["cuda"]) == ("3.13.0t", "manylinux_2_28_aarch64", "12.9")
    assert stored.values["aarch64_version"] == "8a"
    assert stored.properties["nvidia"]["sm_arch"] == ("90_real", "90_virtual")
    for dialect in ("plus", "pep825"):
        options = ("foo", "--index", index, "--dialect", dialect, "--format", "json")
        here = json.loads(run("select", *options, "--set", "cuda=12.9", *platform).stdout)
        there = json.loads(run("select", *options, "--host", str(file)).stdout)
        assert here["selected"] == there["selected"]
        assert "cu128" in there["selected"]


def test_this_machine_survives_the_file() -> None:
    here = Machine.detect({"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8"})
    again = Machine.stored(HostFile.parse(here.store().dumps()))
    assert (again.values, again.supported, again.python_version) == (here.values, here.supported, here.python_version)
    assert set(again.tags) == set(here.tags)
    assert again.store() == here.store()


def test_what_is_said_on_the_command_line_goes_over_the_file(index: str, tmp_path: Path) -> None:
    file = tmp_path / "variants.toml"
    assert run("host", "--set", "cuda=13.0", "--save", str(file)).code == 0
    result = run("select", "foo", "--index", index, "--host", str(file), "--set", "cuda=12.8", "--format", "json")
    assert "cu128" in json.loads(result.stdout)["selected"]


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_the_generic_build_can_be_asked_for(index: str, dialect: str) -> None:
    result = run("select", "foo", "--index", index, "--generic", "--set", "cuda=13.0", "--dialect", dialect)
    assert result.stdout.splitlines()[0] == f"selected: {PLAIN}"
    assert "generic build is asked for" in result.stdout


def test_the_machine_is_shown_as_toml_and_as_json() -> None:
    text = run("host", "--set", "x86_64_version=v2")
    assert HostFile.parse(text.stdout).values["x86_64_version"] == "x86-64-v2"
    data = json.loads(run("host", "--set", "x86_64_version=v2", "--format", "json").stdout)
    assert data["properties"]["x86_64"] == {"level": ["v2", "v1"]}


@pytest.mark.parametrize("text", ["", "schema-version = 2", "no toml", 'schema-version = 1\nfoo = "x"', "\ufffd"])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "variants.toml").write_text(text, "utf-8")
    result = run("host", "--host", str(tmp_path / "variants.toml"))
    assert result.code == 2
    assert "variants.toml" in result.stderr
    assert "Traceback" not in result.stderr
