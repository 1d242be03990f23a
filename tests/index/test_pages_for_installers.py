"""The project page as installers of several years read it from a plain web server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from pypi_simple import ProjectPage

from support.cli import run
from support.http import serving
from support.pips import OLD, fetch_pip, old_pip
from support.uv import uv
from support.wheels import make_wheel

pytestmark = pytest.mark.slow

BARE = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
GENERIC = "foo_bar-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an index whose pages have everything: selector, grid, links, a yanked release."""
    folder = tmp_path_factory.mktemp("index")
    config = folder / "variant-publish.toml"
    config.write_text(
        f'dialects = ["plus", "pep825"]\n[variants.cu128]\n'
        f'[upload]\nextra-index = "file:{folder.as_posix()}/simple"\npublic-url = "https://wheels.example.org/simple"\n',
        encoding="utf-8",
    )
    for version in ("1.0", "2.0"):
        wheel = make_wheel(
            folder / version, f"foo_bar-{version}-py3-none-any.whl",
            headers=("Summary: A <b>summary", "License: MIT", "Requires-Python: >=3.8",
                     "Project-URL: Home, https://a.example/x.whl"),
        )  # fmt: skip
        options = ("--config", str(config))
        assert run("retag", str(wheel), "--variant", "cu128", "-o", str(wheel.parent), *options).code == 0
        assert run("upload", str(wheel.parent), "--no-repository", *options).code == 0
    yanked = run("index", "yank", "foo-bar", "2.0", "--reason", "wrong <results>", "--config", str(config))
    assert yanked.code == 0, yanked.stderr
    with serving(folder / "simple") as found:
        assert 'id="get">Install' in (folder / "simple" / "foo-bar" / "index.html").read_text("utf-8")
        yield found


@pytest.mark.parametrize("version", [OLD, "26.0"])
def test_pip_of_2023_and_of_2026(address: str, tmp_path: Path, version: str) -> None:
    arguments = ("download", "--no-deps", "--index-url", address, "--dest", str(tmp_path / "got"), "foo-bar")
    if version == OLD:
        done = subprocess.run([*old_pip(), *arguments], capture_output=True, encoding="utf-8", check=False, env=BARE)
    else:
        done = fetch_pip(version).run(*arguments)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "got").iterdir()] == [GENERIC]


def test_uv(address: str, tmp_path: Path) -> None:
    done = uv("pip", "install", "--dry-run", "--target", tmp_path / "got", "--index-url", address, "foo-bar")
    assert done.returncode == 0, done.stderr
    assert "+ foo-bar==1.0\n" in done.stderr


def test_pypi_simple(address: str) -> None:
    with urlopen(f"{address}/foo-bar/", timeout=10) as answer:
        page = ProjectPage.from_html("foo-bar", answer.read(), base_url=f"{address}/foo-bar/")
    names = {package.filename for package in page.packages}
    assert {GENERIC, "foo_bar-1.0-py3-none-any+cu128.whl", "foo_bar-1.0-py3-none-any-cu128.whl"} <= names
    assert "x.whl" not in names
    assert {package.yanked_reason for package in page.packages if package.version == "2.0"} == {"wrong <results>"}
    assert all(package.digests["sha256"] and package.has_metadata for package in page.packages if package.version)
    assert {package.requires_python for package in page.packages if package.version} == {">=3.8"}
