"""`select` takes the build for the version of a dependency that is given, or installed in an environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.environments import make_environment, site
from support.variants import ABI, TORCH, write_release
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel

UNION = {"old": [f"{TORCH} :: 2.8", f"{TORCH} :: 2.9"]}
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.variants.old]
properties = ["abi_dependency :: torch :: 2.8", "abi_dependency :: torch :: 2.9"]
"""


def environment_with(folder: Path, torch: str) -> Path:
    """Make a virtual environment that holds the metadata of a torch, and no torch."""
    made = make_environment(folder)
    info = site(made) / f"torch-{torch}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n", encoding="utf-8")
    return made


def selected(index: Path, *arguments: str) -> str:
    """Return the label, or the tags, of the wheel that is selected."""
    result = run("select", "foo", "--index", str(index), "--set", "cuda=none", *arguments, "--format", "json")
    assert result.code == 0, result.stderr
    return str(json.loads(result.stdout)["selected"]).removeprefix("foo-1.0-py3-none-any").removesuffix(".whl")


@pytest.mark.parametrize(
    ("torch", "label"), [("2.8.0", "-torch2.8"), ("2.9.1", "-torch2.9"), ("2.9.1+cu128", "-torch2.9"), ("2.10.0", "")]
)
def test_the_torch_of_an_environment_chooses_as_the_one_that_is_given(tmp_path: Path, torch: str, label: str) -> None:
    index = write_release(tmp_path / "index", ABI)
    environment = environment_with(tmp_path / "environment", torch)
    assert selected(index, "--python", str(environment)) == label
    assert selected(index, "--set", f"torch={torch.partition('+')[0]}") == label


def test_what_is_given_counts_more_than_what_is_installed(tmp_path: Path) -> None:
    index = write_release(tmp_path / "index", ABI)
    environment = environment_with(tmp_path / "environment", "2.9.1")
    assert selected(index, "--python", str(environment), "--set", "torch=2.8.0") == "-torch2.8"


def test_the_loser_names_the_torch_of_the_environment(tmp_path: Path) -> None:
    index = write_release(tmp_path / "index", ABI)
    environment = environment_with(tmp_path / "environment", "2.9.1")
    shown = run("select", "foo", "--index", str(index), "--python", str(environment), "--set", "cuda=none").stdout
    assert "is built against torch 2.8, and torch is 2.9.1 here" in shown


@pytest.mark.parametrize(("torch", "found"), [("2.7.1", ""), ("2.8.1", "old"), ("2.9.0", "old"), ("2.10.0", "")])
@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_several_releases_of_one_dependency_are_a_union(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str, torch: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(CONFIG, encoding="utf-8")
    built = str(make_wheel(tmp_path / "dist", "foo-1.0-py3-none-any.whl", requires=["torch"]))
    for how in (("--generic",), ("--variant", "old")):
        assert run("retag", built, *how, "-o", "wheelhouse").code == 0
    assert run("metadata", "wheelhouse").code == 0
    wheelhouse = tmp_path / "wheelhouse"
    mark = {"plus": "+", "pep825": "-"}[dialect]
    assert selected(wheelhouse, "--dialect", dialect, "--set", f"torch={torch}") == (found and mark + found)
    checked = run("check", "wheelhouse", "--offline")
    assert checked.code == 0, checked.stdout
    # A requirement has no "or": none is written.
    assert WholeWheel.read(wheelhouse / f"foo-1.0-py3-none-any{mark}old.whl").metadata.requires_dist == ("torch",)


def test_the_loser_names_all_releases_of_a_union(tmp_path: Path) -> None:
    index = write_release(tmp_path / "index", UNION)
    shown = run("select", "foo", "--index", str(index), "--set", "torch=2.10.0").stdout
    assert "is built against torch 2.8 or 2.9, and torch is 2.10.0 here" in shown


def test_a_build_of_a_union_that_fits_loses_for_what_it_lacks(tmp_path: Path) -> None:
    better = [*UNION["old"], "nvidia :: cuda_version_lower_bound :: 12.8"]
    index = write_release(tmp_path / "index", {**UNION, "better": better})
    shown = run("select", "foo", "--index", str(index), "--set", "torch=2.8.0", "--set", "cuda=12.8").stdout
    assert "selected: foo-1.0-py3-none-any-better.whl" in shown
    assert "a better variant fits: better" in next(line for line in shown.splitlines() if "-old" in line)
    assert "is built against" not in shown
