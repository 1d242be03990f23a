"""AMD end to end: retagged by a word, read from binaries, checked, simulated, selected, and on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.binaries import elf, offload_bundle
from support.checks import PLAIN, failures, verdicts
from support.cli import run
from support.real_wheels import wheel_of
from support.wheels import make_wheel
from variant_publish.api import inspect
from variant_publish.check.rules.gpu import ClaimedArchitectures, OtherArchitectures, RuntimeMajor
from variant_publish.check.rules.machines import EveryVariantChosen

GFX = PLAIN.replace(".whl", "+gfx942.whl")
TARGETS = (
    "host-x86_64-unknown-linux-gnu-",
    "hipv4-amdgcn-amd-amdhsa--gfx942",
    "hipv4-amdgcn-amd-amdhsa--gfx90a:xnack+",
)


def code(*targets: str, rocm: str = "6") -> dict[str, bytes]:
    return {"foo/a.so": elf(needed=[f"libamdhip64.so.{rocm}"], extra=offload_bundle(*targets, compressed="zstd"))}


def test_a_claimed_architecture_that_is_there_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, GFX, files=code(*TARGETS))
    assert verdicts(ClaimedArchitectures(), tmp_path) == {"pass": 1}
    assert failures(OtherArchitectures(), tmp_path) == ["it has code for gfx90a too"]


def test_a_claimed_architecture_that_is_missing_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, GFX, files=code(TARGETS[0], TARGETS[2]))
    assert failures(ClaimedArchitectures(), tmp_path) == ["it claims gfx942, its binaries have gfx90a"]


def test_code_for_a_family_is_code_for_its_members(tmp_path: Path) -> None:
    make_wheel(tmp_path, GFX, files=code("hipv4-amdgcn-amd-amdhsa--gfx9-4-generic"))
    assert verdicts(ClaimedArchitectures(), tmp_path) == {"pass": 1}


def test_the_runtime_that_is_needed_is_the_one_that_is_claimed(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+rocm64.whl"), files=code(TARGETS[1], rocm="7"))
    assert failures(RuntimeMajor(), tmp_path) == ["it claims ROCm 6, and foo/a.so needs libamdhip64.so.7 of ROCm 7"]


def test_every_architecture_is_the_best_choice_somewhere(tmp_path: Path) -> None:
    for word in ("gfx942", "gfx1100", "tpu", "xpu"):
        make_wheel(tmp_path, PLAIN.replace(".whl", f"+{word}.whl"))
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 4}


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_from_retag_to_selection_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make_wheel(tmp_path / "dist", "foo-1.0-py3-none-any.whl", files=code(*TARGETS))
    option = ("--tag", "gfx942") if dialect == "plus" else ("--label", "gfx942")
    assert run("retag", "dist", *option, "-o", "wheels").code == 0
    make_wheel(tmp_path / "wheels", "foo-1.0-py3-none-any.whl")
    done = run("upload", "wheels", "--extra-index", "file:index", "--repository-url", "file:pypi")
    assert done.code == 0, done.stderr
    kfd = tmp_path / "sys/class/kfd/kfd/topology/nodes/1"
    kfd.mkdir(parents=True)
    (kfd / "properties").write_text("simd_count 1216\ngfx_target_version 90402\n")
    separator = "+" if dialect == "plus" else "-"
    for root, chosen in (
        ("sys", f"foo-1.0-py3-none-any{separator}gfx942.whl"),
        ("nowhere", "foo-1.0-py3-none-any.whl"),
    ):
        monkeypatch.setenv("VARIANT_PUBLISH_SYSFS", str(tmp_path / root))
        found = run("select", "foo", "--index", "index", "--format", "json")
        assert json.loads(found.stdout)["selected"] == chosen
    page = (tmp_path / "index/foo/index.html").read_text("utf-8")
    assert "an AMD GPU of architecture gfx942" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requirement", "architectures", "runtimes"),
    [
        ("bitsandbytes==0.50.2", {"gfx908", "gfx942", "gfx1250"}, {"CUDA", "ROCm"}),
        ("jax-rocm60-plugin==0.5.0", {"gfx900", "gfx940", "gfx1201"}, {"ROCm"}),
    ],
)
def test_real_wheels_tell_their_architectures(requirement: str, architectures: set[str], runtimes: set[str]) -> None:
    (found,) = inspect([wheel_of(requirement)], fast=True)
    assert architectures <= set(found.codes["amd"])
    assert runtimes == set(found.runtimes)
