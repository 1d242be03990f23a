"""What real installers make of a published index, over HTTP and from the folder itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.http import serving
from support.publishing import GENERIC, PLUS, make_release, run
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

pytestmark = pytest.mark.slow

LABEL = GENERIC.replace(".whl", "-cu128.whl")
GPU = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8", "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}
LINUX = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Publish a generic wheel to one folder and both kinds of variant to another."""
    variant = VariantsMetadata(
        ("nvidia",),
        {"cu128": Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8"])},
        {"nvidia": KNOWN_PROVIDERS["nvidia"]},
    )
    make_wheel(tmp_path / "dist", LABEL, variant=variant)
    upload = (
        f'extra-index = "{(tmp_path / "www/extra").as_uri()}"\nrepository-url = "{(tmp_path / "www/pypi").as_uri()}"\n'
    )
    run(make_release(tmp_path / "dist", upload=upload))
    return tmp_path / "www"


def chosen(index: str, target: Path, *options: str, env: dict[str, str] | None = None) -> str:
    """Let uv install the project, and read which build it is."""
    done = uv("pip", "install", "--target", target, "--default-index", index, *LINUX, *options, "foo-bar", env=env)
    assert done.returncode == 0, done.stderr
    return (target / "foo_bar.py").read_text("utf-8")


@pytest.mark.parametrize("over_http", [True, False])
def test_uv_finds_a_wheel_for_every_machine(root: Path, tmp_path: Path, over_http: bool) -> None:
    with serving(root) as address:
        index = f"{address}/extra" if over_http else (root / "extra").as_uri()
        assert chosen(index, tmp_path / "plain") == "VARIANT = 'generic'\n"
        assert chosen(index, tmp_path / "gpu", *PREVIEW, env=GPU) == "VARIANT = 'cu128'\n"
        assert chosen(index, tmp_path / "no-gpu", *PREVIEW) == "VARIANT = 'generic'\n"


def test_pip_takes_the_generic_wheel(root: Path, tmp_path: Path) -> None:
    with serving(root) as address:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--isolated", "download", "--no-deps", "--no-cache-dir", "--index-url",
             f"{address}/extra", "--platform", "manylinux_2_28_x86_64", "--only-binary=:all:",
             "--disable-pip-version-check", "--dest", str(tmp_path / "got"), "foo-bar"],
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "got").iterdir()] == [GENERIC]
    assert PLUS not in done.stdout
