"""Views of a project whose builds differ by the ABI of a dependency: one for each hardware, the builds inside."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.cli import run
from support.environments import isolate, publish
from support.http import serving
from support.pips import new_pip, old_pip
from support.uv import uv
from support.wheels import make_wheel

pytestmark = pytest.mark.slow

CONFIG = """
[project]
name = "foo"
version = "1.0"
[tool.variant-publish]
dialects = ["pep825"]
[tool.variant-publish.variants."cu128.torch2.9"]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "abi_dependency :: torch :: 2.9"]
[tool.variant-publish.variants."cu128.torch2.8"]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "abi_dependency :: torch :: 2.8"]
[tool.variant-publish.variants."torch2.9"]
properties = ["abi_dependency :: torch :: 2.9"]
"""


@pytest.fixture
def views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    default = isolate(monkeypatch, tmp_path)
    for version in ("2.8.0", "2.9.1", "2.10.0"):
        publish(default, f"torch-{version}-py3-none-any.whl")
    publish(default, "foo-1.0-py3-none-any.whl", requires=["torch"])
    config = tmp_path / "variant-publish.toml"
    config.write_text(CONFIG, encoding="utf-8")
    for variant in ("generic", "cu128.torch2.9", "cu128.torch2.8", "torch2.9"):
        module = {"foo.py": f"VARIANT = {variant!r}\n".encode()}
        built = make_wheel(tmp_path / variant, "foo-1.0-py3-none-any.whl", files=module, requires=["torch"])
        how = ("--generic",) if variant == "generic" else ("--variant", variant)
        done = run("retag", str(built), *how, "--config", str(config), "-o", str(tmp_path / "dist"))
        assert done.code == 0, done.stderr
    places = ("--extra-index", f"file:{tmp_path}/www/simple", "--views", f"file:{tmp_path}/www/views")
    done = run("upload", str(tmp_path / "dist"), *places, "--no-repository", "--split", "large-to-s3", "--config",
               str(config))  # fmt: skip
    assert done.code == 0, done.stderr
    return tmp_path / "www" / "views"


def test_there_is_one_view_for_each_hardware(views: Path) -> None:
    assert sorted(path.name for path in views.iterdir()) == ["cu128", "generic"]
    assert sorted(path.name for path in views.glob("*/foo/*.whl")) == [
        "foo-1.0+cu128.torch2.8-py3-none-any.whl",
        "foo-1.0+cu128.torch2.9-py3-none-any.whl",
        "foo-1.0+torch2.9-py3-none-any.whl",
    ]


@pytest.mark.parametrize("client", [old_pip, new_pip], ids=["pip 23.2", "pip 26"])
def test_plain_pip_takes_the_build_that_fits_torch(views: Path, tmp_path: Path, client: object) -> None:
    assert callable(client)
    with serving(views) as url:
        for number, (view, asked, variant) in enumerate(
            (("cu128", ["foo"], "cu128.torch2.9"), ("cu128", ["foo", "torch==2.8"], "cu128.torch2.8"),
             ("generic", ["foo==1.0", "torch==2.9.1"], "torch2.9"))
        ):  # fmt: skip
            target = tmp_path / f"{number}"
            command = [
                *client(),
                "install",
                "--quiet",
                "--target",
                target,
                "--extra-index-url",
                f"{url}/{view}",
                *asked,
            ]
            subprocess.run([*map(str, command)], check=True)
            assert variant in (target / "foo.py").read_text(encoding="utf-8")


def test_uv_locks_and_syncs_with_the_view_as_an_explicit_index(views: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with serving(views) as url:
        (project / "pyproject.toml").write_text(
            f"""
[project]
name = "x"
version = "1"
requires-python = ">={sys.version_info[0]}.{sys.version_info[1]}"
dependencies = ["foo", "torch==2.8.0"]
[[tool.uv.index]]
name = "view"
url = "{url}/cu128"
explicit = true
[tool.uv.sources]
foo = {{ index = "view" }}
""",
            encoding="utf-8",
        )
        env = {"UV_DEFAULT_INDEX": os.environ["UV_DEFAULT_INDEX"], "UV_NO_CONFIG": "0"}
        for command in (("lock",), ("sync", "--locked"), ("sync", "--locked")):
            done = uv(*command, "--project", project, "--python", sys.executable, "--no-install-project", env=env,
                      cache=tmp_path / "uvc") if command[0] == "sync" else uv(
                *command, "--project", project, "--python", sys.executable, env=env, cache=tmp_path / "uvc")  # fmt: skip
            assert done.returncode == 0, done.stderr
    lock = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    assert {item["name"]: item["version"] for item in lock["package"] if item["name"] != "x"} == {
        "foo": "1.0+cu128.torch2.8", "torch": "2.8.0",
    }  # fmt: skip
    assert "Audited" in done.stderr or "Checked" in done.stderr  # nothing is installed again
