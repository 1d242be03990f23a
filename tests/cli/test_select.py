from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from support.cli import run
from support.wheels import make_wheel

NAME = "foo-1.0-py3-none-any.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""


@pytest.fixture
def release(tmp_path: Path) -> str:
    """Give a folder with a generic wheel, a variant in both dialects, and their selector files."""
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    config = ("--config", str(tmp_path / "pyproject.toml"))
    out = tmp_path / "out"
    source = make_wheel(out, NAME)
    assert run("retag", str(source), "--variant", "cu128", *config, "-o", str(out)).code == 0
    assert run("metadata", str(out), *config).code == 0
    return str(out)


def selected(*arguments: str) -> str | None:
    result = run("select", *arguments, "--format", "json")
    value = json.loads(result.stdout)["selected"]
    assert result.code == (0 if value else 1)
    assert value is None or isinstance(value, str)
    return value


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
@pytest.mark.parametrize(("cuda", "variant"), [("none", ""), ("12.6", ""), ("12.8", "cu128"), ("13.0", "cu128")])
def test_a_described_machine_gets_its_wheel(release: str, dialect: str, cuda: str, variant: str) -> None:
    mark = ("+" if dialect == "plus" else "-") + variant if variant else ""
    assert selected("foo", "--index", release, "--set", f"cuda={cuda}", "--dialect", dialect) == NAME.replace(
        ".whl", f"{mark}.whl"
    )


def test_the_overrides_of_the_nvidia_provider_count(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION", "13.0")
    monkeypatch.setenv("NV_VARIANT_PROVIDER_FORCE_SM_ARCH", "9.0")
    assert selected("foo", "--index", release) == NAME.replace(".whl", "-cu128.whl")


def test_the_table_says_why_each_loser_lost(release: str) -> None:
    result = run("select", "foo", "--index", release, "--set", "cuda=none")
    assert result.code == 0
    assert "selected: foo-1.0-py3-none-any.whl" in result.stdout
    assert "driver" in result.stdout


def test_nothing_that_fits_is_null_and_exit_1(tmp_path: Path) -> None:
    odd = "win_arm64" if platform.system() != "Windows" else "linux_x86_64"
    make_wheel(tmp_path, NAME.replace("any", odd))
    assert selected("foo", "--index", str(tmp_path)) is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["foo"], 2, "--index"),
        (["foo bar", "--index", "."], 2, "NAME"),
        (["foo", "--index", "{release}", "--set", "cuda"], 2, "NAME=VALUE"),
        (["foo", "--index", "{release}", "--set", "cuda=new"], 2, "cuda"),
        (["foo", "--index", "{release}", "--set", "cuda=99.9", "--dialect", "plus"], 1, "99.9"),
        (["nope", "--index", "{release}"], 1, "nope is not on"),
        (["foo", "--index", "{release}/nope"], 1, "no such folder"),
        (["foo", "--index", "http://127.0.0.1:9/simple"], 1, "cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(release: str, arguments: list[str], code: int, message: str) -> None:
    result = run("select", *(argument.format(release=release) for argument in arguments))
    assert result.code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
