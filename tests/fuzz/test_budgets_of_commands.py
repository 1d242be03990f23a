"""Each command against files of 1 MB that cost it most: a command without a budget here is a failure."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import pytest

from fuzz import test_budgets as wheels
from support.attacks import INFO, MASTERS, MEGABYTE, NAME, hostile_index
from support.limits import measured
from support.wheels import make_wheel
from variant_publish.cli.main import group
from variant_publish.formats.installed import INSTALLED_FILE

Write = Callable[[Path], object]

PROJECT = '[project]\nname = "foo"\nversion = "1.0"\n'
SHAPES: Mapping[str, str] = {
    "a matrix of millions of cells": "[tool.variant-publish.matrix]\n"
    f"python = {[f'cp3{number}-cp3{number}' for number in range(8, 60)]}\n"
    f"platform = {[f'manylinux_2_{number}_x86_64' for number in range(5, 900)]}\n"
    + "".join(f"[tool.variant-publish.variants.x86_64_v{number}]\n" for number in range(2, 5)),
    "many variants": "".join(
        f'[tool.variant-publish.variants.a{number}]\nproperties = ["nvidia :: cuda_version_lower_bound :: 12.{number}"]\n'
        for number in range(9_000)
    ),
    "a dotted key": f"{'a.' * 400_000}b = 1\n",
    "many keys": "[tool.other]\n" + "".join(f"a{number} = 1\n" for number in range(70_000)),
}


def project(shape: str) -> Write:
    def write(folder: Path) -> None:
        content = PROJECT + SHAPES[shape]
        assert len(content) <= MEGABYTE
        (folder / "pyproject.toml").write_text(content)
        make_wheel(folder / "wheels", NAME)

    return write


def host(content: Callable[[], str]) -> Write:
    head = 'schema-version = 1\npython = "3.12"\nplatform = "manylinux_2_28_x86_64"\n'
    return lambda folder: (folder / "host.toml").write_text(head + content())


def values() -> str:
    return "[values]\n" + "".join(f'a{number} = "1"\n' for number in range(70_000))


def lock(content: Callable[[], str]) -> Write:
    head = 'lock-version = "1.0"\ncreated-by = "variant-publish"\n'
    return lambda folder: (folder / "pylock.toml").write_text(head + content())


def locked_wheels() -> str:
    rows = (
        f'[[packages.wheels]]\nname = "foo-1.0-py3-none-a{number}.whl"\nurl = "https://h/x"\n'
        f'hashes = {{sha256 = "{"a" * 64}"}}\n'
        for number in range(6_000)
    )
    return f'[[packages]]\nname = "foo"\nversion = "1.0"\n{"".join(rows)}'


def markers() -> str:
    marker = " or ".join(["extra == 'x'"] * 55_000)
    return f'[[packages]]\nname = "foo"\nversion = "1.0"\nmarker = "{marker}"\n'


def installed(record: str, headers: str = "") -> Write:
    def write(folder: Path) -> None:
        info = folder / "site" / INFO
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n{headers}")
        (info / INSTALLED_FILE).write_text(record)
        (info / "RECORD").write_text("")

    return write


RECORD = {
    "schema-version": 1, "project": "foo", "version": "1.0", "wheel": NAME.replace(".whl", "+cu128.whl"),
    "variant": "cu128", "dialect": "plus", "sha256": "a" * 64, "index": "x",
    "needs": {f"v{number}": ["1"] for number in range(40_000)},
}  # fmt: skip


def stage(name: str, content: Callable[[], str]) -> Write:
    """Stage a wheel, then write a file of the stage as a hostile job would."""

    def write(folder: Path) -> None:
        (folder / "pyproject.toml").write_text('[tool.variant-publish.upload]\nextra-index = "file:index"\n')
        make_wheel(folder / "wheels", NAME)
        done = measured("upload", "wheels", "--no-repository", "--stage", "s", cwd=folder)
        assert done.exit_code == 0, done.output
        (path,) = (folder / "index" / ".staged" / "s").rglob(name)
        path.write_text(content())

    return write


def states() -> str:
    files = [{"project": "foo", "filename": f"foo-{number}-py3-none-any.whl"} for number in range(14_000)]
    return json.dumps({"schema-version": 2, "name": "s", "status": "releasing", "files": files, "generation": 1})


def verdicts() -> str:
    rules = [{"rule": f"VP{number % 900}", "outcome": "fail", "message": "x", "hint": "y"} for number in range(14_000)]
    return json.dumps({"schema-version": 1, "file": NAME, "size": 1, "sha256": "a" * 64, "verdicts": rules})


def page(attack: str) -> Write:
    def write(folder: Path) -> None:
        hostile_index(attack, folder)
        (folder / "empty").mkdir()

    return write


FETCH = """
import os, urllib.error, urllib.request
try:
    print(len(urllib.request.urlopen(os.environ["PIP_INDEX_URL"].rstrip("/") + "/foo/").read()))
except urllib.error.HTTPError as error:
    print(error.code)
"""
PAGES = tuple(map(page, MASTERS))
PROJECTS = tuple(map(project, SHAPES))
SELECTED = ("--index", "index", "--default-index", "file:empty")

TABLE: Mapping[tuple[str, ...], tuple[Write, ...]] = {
    ("plan-matrix",): PROJECTS,
    ("plan-matrix", "--format", "github"): PROJECTS,
    ("config", "show"): PROJECTS,
    ("config", "schema"): PROJECTS[:1],
    ("build", ".", "--all", "--dry-run"): PROJECTS,
    ("check", "wheels", "--offline"): PROJECTS,
    ("host", "--host", "host.toml", "--save", "copy.toml"): (host(values), host(lambda: "a = " + "[" * 900_000)),
    ("host", "--platform", "manylinux_2_999999999_x86_64"): (host(values),),
    ("host", "--python-version", "3.99999999"): (host(values),),
    ("install", "--lock", "pylock.toml", "--target", "site"): (lock(locked_wheels), lock(markers)),
    ("doctor", "--target", "site"): (
        installed(json.dumps(RECORD)),
        installed("[" * 900_000),
        installed(json.dumps(RECORD | {"needs": {}}), "Requires-Dist: a>=1\n" * 45_000),
    ),
    ("release", "s", "--status"): (stage("state.json", states), stage("*.summary.json", verdicts)),
    ("release", "s", "--no-repository"): (stage("state.json", states), stage("*.summary.json", verdicts)),
    ("release", "s", "--abort"): (stage("state.json", states),),
    ("index", "list"): PAGES[:1],
    ("index", "verify"): PAGES[:2],
    ("index", "adopt", "foo"): PAGES[:2],
    ("index", "gc", "foo", "--keep", "1", "--dry-run"): PAGES,
    ("index", "promote", "foo==1.0", "--to", "file:to", "--no-repository", "--dry-run"): PAGES,
    ("index", "remove", "foo", "1.0", "--dry-run"): PAGES,
    ("index", "unyank", "foo", "1.0"): PAGES,
    ("index", "status", "foo", "archived"): PAGES[:2],
    ("run", *SELECTED, "--", sys.executable, "-c", FETCH): PAGES,
}
LIKE = {
    "serve": "run",  # the same application, which `run` starts, asks and ends
    "demo": "retag",  # retag, check and upload of wheels whose names it has itself
    "completion": "config schema",  # reads nothing
}


def commands(of: click.Group = group, *before: str) -> set[str]:
    found: set[str] = set()
    context = click.Context(of)
    for name in of.list_commands(context):
        command = of.get_command(context, name)
        found |= commands(command, name) if isinstance(command, click.Group) else {" ".join((*before, name))}
    return found


def named(words: tuple[str, ...]) -> str:
    return " ".join(words[: 2 if words[0] in ("index", "config") else 1])


def test_every_command_has_a_budget() -> None:
    listed = {named(words) for words in (*TABLE, *wheels.PAGES, *wheels.OTHERS.values())}
    listed |= {"check", "inspect", "retag", "install", "lock"} | set(LIKE)
    assert commands() - listed == set()
    assert listed - commands() == set()
    assert set(LIKE.values()) <= listed


CASES = [
    pytest.param(words, write, id=f"{named(words)} {number}")
    for words, writes in TABLE.items()
    for number, write in enumerate(writes)
]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "write"), CASES)
def test_a_command_ends_soon_and_in_little_memory(tmp_path: Path, words: tuple[str, ...], write: Write) -> None:
    write(tmp_path)
    empty = (tmp_path / "empty").as_uri()
    wheels.within_limits(*(empty if word == "file:empty" else word for word in words), cwd=tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)
