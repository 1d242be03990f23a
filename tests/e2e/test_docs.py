"""The documentation is right: its blocks are run as they stand, against servers on loopback."""

from __future__ import annotations

import json
import platform
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import pages
from support.cli import Result, run
from support.environments import isolate, make_environment, publish, site
from support.http import serving
from support.moto import Moto, give_credentials, moto_server
from support.pages import Reader
from support.wheels import make_wheel
from variant_publish.config.configuration import Config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64", reason="the wheels of the page are for x86-64 Linux"
    ),
]

DOCS = Path(__file__).parents[2] / "docs"
PAGE, BUILDING = DOCS / "users.md", DOCS / "building.md"
URL = "https://wheels.example.org/simple"


def blocks(section: str, language: str = "sh", page: Path = PAGE) -> list[str]:
    text = page.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def follow(section: str, index: str = URL, page: Path = PAGE) -> list[tuple[str, Result]]:
    """Run every command of a section; each must succeed."""
    done = []
    for line in "".join(blocks(section, page=page)).splitlines():
        program, *arguments = shlex.split(line.replace(URL, index))
        assert program == "variant-publish"
        done.append((line, run(*arguments)))
        assert done[-1][1].code == 0, f"{line}\n{done[-1][1].stdout}\n{done[-1][1].stderr}"
    return done


def test_every_answer_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", str(make_environment(tmp_path / "venv")))
    [configuration] = blocks("How does an author define and build variants?", "toml")
    (tmp_path / "pyproject.toml").write_text(configuration)
    config = Config.load(tmp_path / "pyproject.toml")
    assert config.matrix is not None
    for cell in config.matrix.cells():
        files = {"myproject.py": f"VARIANT = {cell.variant!r}\n".encode()}
        make_wheel(tmp_path / "dist" / cell.variant, f"myproject-1.0-{cell.python}-{cell.platform}.whl", files=files)
    follow("How does an author define and build variants?")
    follow("How is a release published?")

    index = str(tmp_path / "index")
    follow("Which command does a user type?", index)
    assert (site(tmp_path / "venv") / "myproject.py").exists()
    chosen = {
        line.partition(URL)[2].strip(): result.stdout.partition("selected: ")[2]
        .partition("\n")[0]
        .rpartition("x86_64")[2]
        for line, result in follow("Which options do users have?", index)
        if " select " in line
    }
    assert chosen["--generic"] == ".whl"
    assert chosen["--set x86_64_version=v2"] == ".whl"
    assert "cu128" in chosen["--set cuda=12.8"]
    assert (site(tmp_path / "venv") / "myproject.py").read_text() == "VARIANT = 'x86_64_v3'\n"
    assert "_v3" in (tmp_path / "pylock.toml").read_text()
    assert "+cu128" in (tmp_path / "everywhere.toml").read_text()

    # A folder says nothing of where users find it, a server does.
    with serving(tmp_path / "index") as address:
        follow("What about people who only have pip install?", address)
    assert (tmp_path / "dist" / "myproject-1.0.tar.gz").exists()


PAGES = [DOCS / "tutorial.md", *sorted(path for path in DOCS.glob("how-to/*.md") if path.name != "index.md")]
S3 = "https://s3.example.org"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with moto_server() as server:
        yield server


def two_projects(folder: Path) -> None:
    for name in ("foo", "bar"):
        make_wheel(folder / f"{name}-wheels", f"{name}-1.0-py3-none-any.whl")


def numpy(folder: Path) -> None:
    publish(folder / "default-index", "numpy-2.0.0-cp312-cp312-manylinux_2_28_x86_64.whl")


def jax_plugins(folder: Path) -> None:
    """Write wheels as the family of jax has them: names, import packages and requirements of their own."""
    for cuda in ("cuda12", "cuda13"):
        make_wheel(
            folder / "dist", f"jax_{cuda}_plugin-0.8.0-cp312-cp312-manylinux_2_27_x86_64.whl",
            files={f"jax_{cuda}_plugin/__init__.py": b""}, requires=[f"jax-{cuda}-pjrt==0.8.0"],
        )  # fmt: skip


def old_wheels(folder: Path) -> None:
    """Write wheels as variantlib 0.0.3 did."""
    provider = {"requires": ["nvidia-variant-provider>=0.0.2,<1.0.0"], "enable-if": "platform_system == 'Linux'",
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin"}  # fmt: skip
    for label, properties in {"00000000": {}, "cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"]}}}.items():
        data = {"$schema": "https://variants-schema.wheelnext.dev/v0.0.3.json", "variants": {label: properties},
                "default-priorities": {"namespace": ["nvidia"]}, "providers": {"nvidia": provider}}  # fmt: skip
        make_wheel(
            folder / "old-wheels", f"foo-1.0-py3-none-any-{label}.whl",
            requires=["triton; 'nvidia' in variant_namespaces"], extra_info={"variant.json": json.dumps(data).encode()},
        )  # fmt: skip


def old_configuration(folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "pyproject.toml").write_text('[variant.default-priorities]\nnamespace = ["nvidia"]\n')
    (folder / "old" / "torch_variant_config.toml").write_text(
        "[metadata_configs.torch]\nnormalize_version = true\n[variant_configs.cu128]\n"
        'properties = [{ namespace = "nvidia", feature = "cuda_version_lower_bound", value = "12.8" }]\n'
    )


SETUPS = {"two projects": two_projects, "numpy": numpy, "jax plugins": jax_plugins, "old wheels": old_wheels,
          "old configuration": old_configuration}  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    default = isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", str(make_environment(tmp_path / "venv")))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip's spelling of "no isolation": the backend is here
    replaced = {"https://mirror.example.org/simple": default.as_uri()}
    if S3 in page.read_text("utf-8"):
        moto: Moto = request.getfixturevalue("moto")
        moto.reset("my-wheels")
        give_credentials(monkeypatch)
        replaced |= {S3: moto.endpoint_url, URL: f"{moto.endpoint_url}/my-wheels/simple"}
    Reader(tmp_path, tmp_path / "venv", replaced, SETUPS).follow(page)


def test_other_pages_have_nothing_that_could_not_be_typed() -> None:
    others = [path for path in DOCS.rglob("*.md") if path not in PAGES and "generated" not in path.parts]
    for page in others:
        for block in pages.blocks(page):
            if block.language == "sh":
                for line in block.text.replace("\\\n", " ").splitlines():
                    pages.check_line(line)
            elif block.language == "toml":
                if tomllib.loads(block.text).keys() != {"project"}:
                    Config.parse(block.text, "page.toml")
            elif block.language == "json":
                json.loads(block.text)
            elif block.language == "yaml":
                pages.check_workflow(block.text)
            elif block.language == "python":
                compile(block.text, str(page), "exec")
            else:
                assert block.language in ("", "text", "c"), page


def test_the_page_on_building_says_what_the_commands_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [configuration] = blocks("Say what a build is asked for", "toml", BUILDING)
    [frontend] = blocks("Build every variant from one sdist", "toml", BUILDING)
    (tmp_path / "pyproject.toml").write_text(configuration + frontend)
    done = follow("Build every variant from one sdist", page=BUILDING)
    assert "x86_64_v3: uv with CFLAGS='-O3 -march=x86-64-v3'" in done[0][1].stdout
    assert [line.partition(":")[0] for line in done[1][1].stdout.splitlines()] == ["sdist", "x86_64_v3", "generic"]
    [(_, result)] = follow("Hand the settings to CI jobs", page=BUILDING)
    assert "-Ccmake.define.WITH_CUDA=ON -Cbuild.verbose=true" in result.stdout
    assert '"cibw-environment": "CFLAGS=' in result.stdout
