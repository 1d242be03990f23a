"""The main job as users have it: our commands publish, real clients install from what was published."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import run
from support.http import serving
from support.moto import BUCKET, give_credentials, moto_server
from support.pypi import PASSWORD, pypiserver
from support.uv import PREVIEW, uv
from support.wheels import make_wheel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels of this test are for Linux"),
]

PLATFORM = f"manylinux_2_17_{platform.machine()}.manylinux2014_{platform.machine()}"
NAME = f"foo-1.0-py3-none-{PLATFORM}.whl"
CONFIG = f"""
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["manylinux_2_17_{platform.machine()}"]
[tool.variant-publish.generic]
rename = {{ name = "foo-cpu", to = "foo" }}
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: cuda_version_upper_bound :: 13"]
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
"""
MACHINES = {
    "no GPU": ({}, "generic"),
    "CUDA 12": ({"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9"}, "cu128"),
    "CUDA 13": ({"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0"}, "cu130"),
}


@pytest.fixture
def wheelhouse(tmp_path: Path) -> tuple[Path, Path]:
    """Give a retagged, checked release with its metadata, and the configuration."""
    config, out = tmp_path / "pyproject.toml", tmp_path / "wheelhouse"
    config.write_text(CONFIG)
    for variant in ("cpu", "cu128", "cu130"):
        name = NAME.replace("foo", "foo_cpu") if variant == "cpu" else NAME
        built = make_wheel(tmp_path / "dist" / variant, name, files={"foo.py": f"VARIANT = {variant!r}\n".encode()})
        marking = ["--generic"] if variant == "cpu" else ["--variant", variant]
        result = run("retag", str(built), *marking, "--config", str(config), "-o", str(out))
        assert result.code == 0, result.stderr
    for command in ("metadata", "check"):
        result = run(command, str(out), "--config", str(config))
        assert result.code == 0, result.stdout + result.stderr
    return out, config


def upload(wheelhouse: tuple[Path, Path], *arguments: str) -> None:
    folder, config = wheelhouse
    command = ("upload", str(folder), "--split", "large-to-s3", "--config", str(config), *arguments)
    result = run(*command)
    assert result.code == 0, result.stderr
    again = run(*command, "--format", "json")
    assert again.code == 0, again.stderr
    assert json.loads(again.stdout)["releases"][0]["published"]["changed"] is False


@pytest.fixture(params=["folder", "s3"])
def published(
    request: pytest.FixtureRequest, wheelhouse: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """Publish to a real repository and to an extra index; give the addresses of both simple indexes."""
    with pypiserver(tmp_path / "packages", password=PASSWORD) as repository:
        monkeypatch.setenv("TWINE_USERNAME", "somebody")
        monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
        where = ("--repository-url", repository)
        if request.param == "folder":
            upload(wheelhouse, "--extra-index", f"file:{tmp_path / 'index'}", *where)
            with serving(tmp_path / "index") as address:
                yield f"{repository}simple/", address
        else:
            with moto_server() as moto:
                give_credentials(monkeypatch)
                upload(
                    wheelhouse, "--extra-index", f"s3://{BUCKET}/simple", "--endpoint-url", moto.endpoint_url, *where
                )
                yield f"{repository}simple/", f"{moto.endpoint_url}/{BUCKET}/simple"


def installed(target: Path) -> str:
    """Give the variant that was installed, as the module itself tells it."""
    code = "import foo; print(foo.VARIANT)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(target)}, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.strip().replace("cpu", "generic")


@pytest.mark.parametrize("machine", MACHINES)
def test_uv_installs_the_variant_of_each_machine(published: tuple[str, str], tmp_path: Path, machine: str) -> None:
    repository, extra = published
    forced, expected = MACHINES[machine]
    places = {
        "the extra index alone": ["--default-index", extra],
        "the repository as default, the extra index beside it": ["--default-index", repository, "--index", extra],
    }
    for number, arguments in enumerate(places.values()):
        target = tmp_path / f"target{number}"
        done = uv(
            "pip", "install", *PREVIEW, *arguments, "--python", sys.executable, "--target", target, "foo", env=forced
        )
        assert done.returncode == 0, done.stderr
        assert installed(target) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_select_tells_what_uv_installs(
    published: tuple[str, str], machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, extra = published
    forced, expected = MACHINES[machine]
    for name, value in forced.items():
        monkeypatch.setenv(name, value)
    chosen = json.loads(run("select", "foo", "--index", extra, "--format", "json").stdout)["selected"]
    assert chosen == (NAME if expected == "generic" else NAME.replace(".whl", f"-{expected}.whl"))
    plus = json.loads(run("select", "foo", "--index", extra, "--format", "json", "--dialect", "plus").stdout)[
        "selected"
    ]
    assert (expected in plus) is (expected != "generic")


def test_uv_without_the_preview_takes_the_generic_wheel(published: tuple[str, str], tmp_path: Path) -> None:
    _, extra = published
    forced = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0"}
    done = uv(
        "pip",
        "install",
        "--default-index",
        extra,
        "--python",
        sys.executable,
        "--target",
        tmp_path / "t",
        "foo",
        env=forced,
    )
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path / "t") == "generic"


def test_pip_takes_the_generic_wheel(published: tuple[str, str], tmp_path: Path) -> None:
    repository, extra = published
    for number, arguments in enumerate(
        (["--index-url", extra], ["--index-url", repository, "--extra-index-url", extra])
    ):
        target = tmp_path / f"target{number}"
        pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir"]
        done = subprocess.run(
            [*pip, *arguments, "--target", str(target), "foo"], capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        assert installed(target) == "generic"


def test_no_secret_is_printed_or_published(
    wheelhouse: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    folder, config = wheelhouse
    with pypiserver(tmp_path / "packages", password=PASSWORD) as repository:
        command = ("upload", str(folder), "--config", str(config), "--repository-url", repository)
        for arguments in (["--dry-run"], [], ["--format", "json"]):
            result = run(*command, "--extra-index", f"file:{tmp_path / 'index'}", *arguments)
            assert result.code == 0, result.stderr
            assert PASSWORD not in result.stdout + result.stderr
    for path in (tmp_path / "index").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
