"""What pip and uv of today, which know no variants, install from a repository with a view beside it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.cli import run
from support.environments import isolate, make_environment, site
from support.http import serving
from support.pips import new_pip, old_pip
from support.pypi import PASSWORD, pypiserver
from support.uv import uv
from support.wheels import make_wheel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels of this test are for Linux"),
]

HERE = f"manylinux_2_17_{platform.machine()}"

CONFIG = f"""
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["{HERE}", "win_amd64"]
[tool.variant-publish.variants.x86_64_v3]
properties = ["x86_64 :: level :: v3"]
platform = ["{HERE}"]
"""
UV_PLATFORMS = {HERE: f"{platform.machine()}-manylinux_2_17", "win_amd64": "x86_64-pc-windows-msvc"}


@dataclass(frozen=True)
class Published:
    """Hold the addresses of a repository's index and of a view."""

    repository: str
    view: str


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Publish a release in two dialects by our own commands, to a real repository, an extra index and views."""
    folder = tmp_path_factory.mktemp("views")
    (folder / "pyproject.toml").write_text(CONFIG)
    more = ("--config", str(folder / "pyproject.toml"))
    for variant, place in (("generic", HERE), ("generic", "win_amd64"), ("x86_64_v3", HERE)):
        module = {"foo.py": f"VARIANT = {variant!r}\n".encode(), "foo-1.0.data/data/share/foo": b"x"}
        built = make_wheel(folder / "dist" / variant, f"foo-1.0-py3-none-{place}.whl", files=module)
        how = ("--generic",) if variant == "generic" else ("--variant", variant)
        assert run("retag", str(built), *how, "-o", str(folder / "wheelhouse"), *more).code == 0
    with (
        pytest.MonkeyPatch.context() as patched,
        pypiserver(folder / "packages", password=PASSWORD) as repository,
        serving(folder / "www") as address,
    ):
        patched.setenv("TWINE_USERNAME", "somebody")
        patched.setenv("TWINE_PASSWORD", PASSWORD)
        places = ("--extra-index", f"file:{folder}/www/simple", "--views", f"file:{folder}/www/views")
        sent = run(
            "upload", str(folder / "wheelhouse"), *more, "--repository-url", repository, *places,
            "--public-url", f"{address}/simple",
        )  # fmt: skip
        assert sent.code == 0, sent.stderr
        assert f"pip install --extra-index-url {address}/views/x86_64_v3 foo" in sent.stdout
        assert len(list((folder / "packages").glob("*.whl"))) == 2
        yield Published(f"{repository}simple/", f"{address}/views/x86_64_v3")


@pytest.mark.parametrize("pip", [old_pip, new_pip])
def test_pip_takes_the_variant_where_it_is_built_and_else_the_generic_wheel(
    published: Published, tmp_path: Path, pip: Callable[[], tuple[str, ...]]
) -> None:
    for place, expected in ((HERE, "foo-1.0+x86.64.v3"), ("win_amd64", "foo-1.0")):
        folder = tmp_path / place
        done = subprocess.run(
            [*pip(), "--isolated", "--disable-pip-version-check", "download", "--no-cache-dir", "--no-deps",
             "--index-url", published.repository, "--extra-index-url", published.view, "--platform", place,
             "--only-binary=:all:", "--dest", str(folder), "foo"],
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert [path.name for path in folder.iterdir()] == [f"{expected}-py3-none-{place}.whl"]


@pytest.mark.parametrize("pip", [old_pip, new_pip])
def test_pip_installs_it_whole_and_takes_it_off_again(
    published: Published, tmp_path: Path, pip: Callable[[], tuple[str, ...]]
) -> None:
    environment = make_environment(tmp_path / "environment")
    common = [*pip(), "--isolated", "--disable-pip-version-check", "--python", str(environment)]
    places = ["--no-cache-dir", "--index-url", published.repository, "--extra-index-url", published.view]
    done = subprocess.run([*common, "install", *places, "foo==1.0"], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site(environment) / "foo.py").read_text() == "VARIANT = 'x86_64_v3'\n"
    assert (site(environment) / "foo-1.0+x86.64.v3.dist-info").is_dir()
    assert (environment / "share" / "foo").exists()
    subprocess.run([*common, "uninstall", "-y", "foo"], capture_output=True, check=True)
    assert not (environment / "share" / "foo").exists()


@pytest.mark.parametrize("requirement", ["foo", "foo==1.0"])
@pytest.mark.parametrize("alone", [False, True])
def test_uv_without_the_preview_does_the_same(
    published: Published, tmp_path: Path, requirement: str, alone: bool
) -> None:
    # uv stops at the first index that has the project: the view, which lists every file of the release.
    places = ["--default-index", published.view] if alone else [
        "--default-index", published.repository, "--index", published.view
    ]  # fmt: skip
    for place, expected in ((HERE, "foo-1.0+x86.64.v3"), ("win_amd64", "foo-1.0")):
        target = tmp_path / place
        where = ("--python-platform", UV_PLATFORMS[place], "--python", sys.executable, "--target", target)
        done = uv("pip", "install", *where, *places, requirement)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in target.glob("*.dist-info")] == [f"{expected}.dist-info"]


def test_uv_locks_both_for_their_platforms(published: Published, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["foo==1.0"]\n'
    )
    places = ("--default-index", published.repository, "--index", published.view)
    done = uv("lock", "--project", tmp_path, "--python", sys.executable, *places)
    assert done.returncode == 0, done.stderr
    lock = (tmp_path / "uv.lock").read_text()
    assert 'version = "1.0+x86.64.v3"' in lock
    assert "foo-1.0-py3-none-win_amd64.whl" in lock


def test_our_own_commands_take_a_view_for_an_index(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolate(monkeypatch, tmp_path)
    environment = make_environment(tmp_path / "environment")
    done = run("install", "foo==1.0", "--index", published.view, "--python", str(environment), "--with", "uv")
    assert done.code == 0, done.stderr
    assert (site(environment) / "foo.py").read_text() == "VARIANT = 'x86_64_v3'\n"
    again = run("install", "foo==1.0", "--index", published.view, "--python", str(environment), "--dry-run")
    assert again.code == 0, again.stderr
    assert run("doctor", "--python", str(environment), "--index", published.view).code == 0
