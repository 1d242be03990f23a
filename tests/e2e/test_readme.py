"""The README is right: its quick start is run as it stands, against servers on loopback."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from support.moto import ACCESS_KEY, SECRET_KEY, moto_server
from support.pypi import PASSWORD, USER, pypiserver
from support.wheels import make_wheel
from variant_publish.config.configuration import Config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels of the README are for Linux"),
]

README = Path(__file__).parents[2] / "README.md"
PUBLIC_URL = "https://wheels.example.org/simple"
BUCKET = "my-wheels"
RUNNING = f"cp3{sys.version_info.minor}"


def blocks(section: str) -> list[tuple[str, str]]:
    """Give the fenced blocks of a section, (language, text), for the interpreter and the machine that run the test."""
    text = README.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    text = text.replace("x86_64", platform.machine())
    if RUNNING not in text:
        text = text.replace("cp312", RUNNING)
    return re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> list[str]:
    """Give the commands of a block, continued lines joined, comments dropped."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


class Shell:
    """Run commands as a user would, in one folder with one environment."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, command: str) -> str:
        done = subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give a project with built wheels, `pypi` and the bucket being servers on loopback."""
    with pypiserver(tmp_path / "packages", password=PASSWORD) as repository, moto_server() as moto:
        moto.reset(BUCKET)
        address = f"{moto.endpoint_url}/{BUCKET}/simple"
        (tmp_path / ".pypirc").write_text(
            f"[pypi]\nrepository = {repository}\nusername = {USER}\npassword = {PASSWORD}\n"
        )
        target = tmp_path / "installed"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
        yield Shell(
            tmp_path / "project",
            {
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "HOME": str(tmp_path),
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": moto.endpoint_url,
                "PIP_INDEX_URL": f"{repository}simple/",
                "PIP_TARGET": str(tmp_path / "target"),
                "PIP_CONFIG_FILE": os.devnull,
                "UV_DEFAULT_INDEX": f"{repository}simple/",
                "UV_CACHE_DIR": str(tmp_path / "cache"),
                "UV_NO_CONFIG": "1",
                "VIRTUAL_ENV": str(target),
                "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9",
                "XDG_CACHE_HOME": str(tmp_path / "caches"),
                "README_INDEX": address,
            },
        )


def build_wheels(project: Path, config: Config) -> None:
    """Write what the README takes for granted: the wheels of every declared cell, each variant in its folder."""
    assert config.matrix is not None
    for cell in config.matrix.cells():
        name = f"foo-1.0-{cell.python}-{cell.platform}.whl"
        make_wheel(project / "dist" / cell.variant, name, files={"foo.py": f"VARIANT = {cell.variant!r}\n".encode()})


def test_the_readme_does_what_it_says(shell: Shell) -> None:
    project, address = shell.folder, shell.environment["README_INDEX"]
    found = [(language, text.replace(PUBLIC_URL, address)) for language, text in blocks("Publish a release")]
    assert [language for language, _ in found] == ["sh", "toml", "sh"]
    init, configuration, three_commands = (text for _, text in found)
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "foo"\nrequires-python = "==3.12.*"\n')
    for command in commands(init):
        shell(command)
    written = Config.load(project / "pyproject.toml")
    (project / "pyproject.toml").write_text(configuration)
    shown = Config.load(project / "pyproject.toml")
    assert written.variants == shown.variants
    assert written.build_settings == shown.build_settings
    build_wheels(project, shown)

    assert len(commands(three_commands)) == 3
    for command in commands(three_commands):
        shell(command)
    assert "nothing to do" in shell(commands(three_commands)[-1])

    [(_, users)] = blocks("What users type")
    ours, pip, uv = commands(users.replace(PUBLIC_URL, address))
    module = "lib/python*/site-packages/foo.py"
    shell(ours)
    assert "VARIANT = 'cu128'" in next((project.parent / "installed").glob(module)).read_text()
    shell("uv pip uninstall foo")
    shell(pip)
    assert "VARIANT = 'generic'" in (project.parent / "target" / "foo.py").read_text()
    shell(uv)
    assert "VARIANT = 'cu128'" in next((project.parent / "installed").glob(module)).read_text()


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= 100
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == 4
    assert all((README.parent / link).is_file() for link in links)


def test_every_option_that_the_readme_names_is_there() -> None:
    from variant_publish.cli.main import COMMANDS, group

    known = {"--extra-index-url", "--preview-features", "--index", "--dist"}
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        for one in (command, *(command.commands.values() if isinstance(command, click.Group) else ())):
            known |= {option for parameter in one.params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README.read_text("utf-8"))) <= known
