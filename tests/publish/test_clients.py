"""What real installers make of a published index, over HTTP and from the folder itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.http import serving
from support.publishing import GENERIC, make_release, run
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

pytestmark = pytest.mark.slow

LABEL = GENERIC.replace(".whl", "-cu128.whl")
GPU = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8", "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}
LINUX = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12")


VARIANT = VariantsMetadata(
    ("nvidia",),
    {"cu128": Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8"])},
    {"nvidia": KNOWN_PROVIDERS["nvidia"]},
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Publish a generic wheel to one folder and both kinds of variant to another."""
    make_wheel(tmp_path / "dist", LABEL, variant=VARIANT)
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


def downloaded(index: str, target: Path) -> list[str]:
    """Let pip download the project, and return the names of the files."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "download", "--no-deps", "--no-cache-dir", "--index-url", index,
         "--platform", "manylinux_2_28_x86_64", "--only-binary=:all:", "--disable-pip-version-check", "--dest",
         str(target), "foo-bar"],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [path.name for path in target.iterdir()]


def test_pip_takes_the_generic_wheel(root: Path, tmp_path: Path) -> None:
    with serving(root) as address:
        assert downloaded(f"{address}/extra", tmp_path / "got") == [GENERIC]


def test_testers_install_from_the_stage_and_users_see_nothing(tmp_path: Path) -> None:
    """The address that `upload --stage` gives serves pip and uv as the extra index does after the release."""
    make_wheel(tmp_path / "dist", GENERIC)
    make_wheel(tmp_path / "dist", LABEL, variant=VARIANT)
    config = Config.parse('[tool.variant-publish]\ndialects = ["pep825"]\n')
    with serving(tmp_path / "www") as address:
        settings = UploadTable(
            extra_index=f"file:{tmp_path / 'www/simple'}",
            stage=f"file:{tmp_path / 'www/stages'}",
            stage_url=f"{address}/stages",
        )
        stage = api.stage([tmp_path / "dist"], "foo-1.0", config, settings)[0].address
        assert stage == f"{address}/stages/foo-1.0"
        assert chosen(stage, tmp_path / "plain") == "VARIANT = 'generic'\n"
        assert chosen(stage, tmp_path / "gpu", *PREVIEW, env=GPU) == "VARIANT = 'cu128'\n"
        assert downloaded(stage, tmp_path / "pip") == [GENERIC]
        assert not (tmp_path / "www/simple").exists()
        assert api.release(api.plan_staged("foo-1.0", config, settings, offline=True))
        index = f"{address}/simple"
        assert chosen(index, tmp_path / "gpu2", *PREVIEW, env=GPU) == "VARIANT = 'cu128'\n"
        assert downloaded(index, tmp_path / "pip2") == [GENERIC]
        assert not (tmp_path / "www/stages/foo-1.0/foo-bar/index.html").exists(), "the preview is over"
