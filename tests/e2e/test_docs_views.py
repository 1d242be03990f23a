"""The page on views is right: its commands are run as they stand, with real pip and uv for its users."""

from __future__ import annotations

import json
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import run
from support.environments import isolate, make_environment, site
from support.http import serving
from support.pips import new_pip
from support.uv import uv
from support.wheels import make_wheel
from variant_publish.config.configuration import Config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64", reason="the wheels of the page are for x86-64 Linux"
    ),
]

PAGE = Path(__file__).parents[2] / "docs" / "views.md"
HOST = "https://wheels.example.org"


def blocks(section: str, language: str = "sh") -> str:
    text = PAGE.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return "".join(re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL))


def follow(section: str) -> str:
    """Run every command of ours in a section; each must succeed. Gives what they said."""
    said = ""
    for line in blocks(section).splitlines():
        program, *arguments = shlex.split(line)
        assert program == "variant-publish"
        done = run(*arguments)
        assert done.code == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    return said


def installed(folder: Path) -> str:
    return next(folder.glob("myproject-*.dist-info")).name


def test_the_page_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path / "www") as address:
        Path("pyproject.toml").write_text(
            blocks("How do I publish views?", "toml").replace(HOST, address), encoding="utf-8"
        )
        config = Config.load(tmp_path / "pyproject.toml")
        assert config.matrix is not None
        for cell in config.matrix.cells():
            files = {"myproject.py": f"VARIANT = {cell.variant!r}\n".encode()}
            make_wheel(
                tmp_path / "dist" / cell.variant, f"myproject-1.0-{cell.python}-{cell.platform}.whl", files=files
            )
        said = follow("How do I publish views?")
        lines = blocks("What do users type?").replace(HOST, address).splitlines()
        assert said.count(f"users of cu128: {lines[0]}\n") == 1
        assert "myproject-1.0+x86.64.v3-py3-none-manylinux_2_17_x86_64.whl" in {
            path.name for path in Path("www/views/x86_64_v3/myproject").iterdir()
        }
        for line in lines:
            environment = make_environment(tmp_path / shlex.split(line)[0])
            _, *arguments = shlex.split(line)
            if line.startswith("uv "):
                done = uv(*arguments, "--python", environment)
            else:
                python = [*new_pip(), "--isolated", "--no-cache-dir", "--python", str(environment)]
                command = [*python, *arguments, "--index-url", (tmp_path / "default-index").as_uri()]
                done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
            assert done.returncode == 0, done.stderr
            assert installed(site(environment)) == "myproject-1.0+cu128.dist-info"
            assert (site(environment) / "myproject.py").read_text() == "VARIANT = 'cu128'\n"

        follow("Can the wheels be made beforehand?")
        names = {path.name for path in Path("alone").rglob("*.whl")}
        assert len(names) == 3
        assert [name for name in names if "cu128" in name] == ["myproject-1.0+cu128-py3-none-manylinux_2_17_x86_64.whl"]
        assert "0 problems" in follow("How do I look after a view?")
        master = json.loads(Path("www/views/cu128/myproject/index.json").read_text(encoding="utf-8"))
        assert [file["filename"] for file in master["files"] if "yanked" in file] == [
            "myproject-1.0+cu128-py3-none-manylinux_2_17_x86_64.whl"
        ]
