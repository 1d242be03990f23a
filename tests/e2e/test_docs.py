"""The page for users is right: its commands are run as they stand, on the project that it describes."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from pathlib import Path

import pytest

from support.cli import Result, run
from support.environments import isolate, make_environment, site
from support.http import serving
from support.wheels import make_wheel
from variant_publish.config import Config

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
        line.partition(URL)[2].strip(): result.stdout.rpartition("selected: ")[2].strip().rpartition("x86_64")[2]
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


def test_the_page_on_building_says_what_the_commands_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [configuration] = blocks("Say what a build is asked for", "toml", BUILDING)
    [frontend] = blocks("Build every variant from one sdist", "toml", BUILDING)
    (tmp_path / "pyproject.toml").write_text(configuration + frontend)
    done = follow("Build every variant from one sdist", page=BUILDING)
    assert "x86_64_v3: uv with CFLAGS='-O3 -march=x86-64-v3'" in done[0][1].stdout
    assert [line.partition(":")[0] for line in done[1][1].stdout.splitlines()] == ["x86_64_v3", "generic"]
    [(_, result)] = follow("Hand the settings to CI jobs", page=BUILDING)
    assert "-Ccmake.define.WITH_CUDA=ON -Cbuild.verbose=true" in result.stdout
    assert '"cibw-environment": "CFLAGS=' in result.stdout
