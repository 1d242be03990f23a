from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.cli import run
from variant_publish.errors import UsageError
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.variants_json import Provider
from variant_publish.providers.machine import Machine
from variant_publish.providers.preferences import Preferences


def here(**values: str) -> Machine:
    found = {"x86_64_version": "x86-64-v4", "aarch64_version": "none", "cuda": "13.0", "sm_arch": "9.0", **values}
    return Machine(found, (), "3.12.1")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", {}),
        ('[limits]\nx86_64_version = "v3"', {"x86_64_version": "x86-64-v3"}),
        ('[limits]\naarch64_version = "8.2a"', {}),
        ('[limits]\ncuda = "12.9"', {"cuda": "12.9"}),
        ('[limits]\ncuda = "13.10"', {}),
        ('[providers]\ndeny = ["x86_64"]', {"x86_64_version": "x86-64"}),
        ('[providers]\ndeny = ["aarch64"]', {}),
    ],
)
def test_limits_only_take_away(text: str, changed: dict[str, str]) -> None:
    assert Preferences.parse(text).applied(here()).values == {**here().values, **changed}


def test_a_limit_of_none_takes_the_devices_away_too() -> None:
    found = Preferences.parse('[limits]\ncuda = "none"').applied(here()).values
    assert (found["cuda"], "sm_arch" in found) == ("none", False)


def test_a_denied_provider_is_off_in_both_dialects() -> None:
    machine = Preferences.parse('[providers]\ndeny = ["nvidia", "blas"]').applied(here())
    assert machine.values["cuda"] == "none"
    assert "sm_arch" not in machine.values
    assert "nvidia" not in machine.supported
    static = Provider(static_properties={"lib": ("mkl",)})
    assert machine.features("blas", static) == "provider blas is denied by your preferences"


def test_an_optional_provider_is_off_until_it_is_allowed() -> None:
    optional = Provider(static_properties={"lib": ("mkl",)}, optional=True)
    assert isinstance(here().features("blas", optional), str)
    assert Preferences(allow=frozenset({"blas"})).applied(here()).features("blas", optional) == {"lib": ("mkl",)}


@pytest.mark.parametrize(
    "text",
    ["no toml", "[limit]", '[limits]\nfoo = "1"', '[limits]\ncuda = "new"', "[providers]\nallow = [1]",
     "[providers]\nforce = []", "limits = 1"],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Preferences.parse(text)
    assert error.value.hint


def test_the_commands_read_the_file_and_options_go_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION", "13.0")
    file = tmp_path / "variant-publish" / "preferences.toml"
    file.parent.mkdir()
    file.write_text('[limits]\ncuda = "12.9"\n')
    assert HostFile.parse(run("host").stdout).values["cuda"] == "12.9"
    assert HostFile.parse(run("host", "--set", "cuda=13.0").stdout).values["cuda"] == "13.0"
    file.write_text("limits = 1")
    result = run("host")
    assert result.code == 2
    assert "preferences.toml" in result.stderr


def test_the_docs_show_a_file_that_can_be_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "configure.md").read_text("utf-8")
    [block] = re.findall(r"```toml\n(\[limits\].*?)```", text, flags=re.DOTALL)
    assert Preferences.parse(block).limits == {"x86_64_version": "x86-64-v3"}
