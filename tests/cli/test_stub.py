from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.place import Place


@pytest.mark.slow
def test_the_command_says_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, tmp_path)
    place.release()
    monkeypatch.chdir(tmp_path)
    url = ("--public-url", "https://wheels.example.org/simple")
    result = run("stub", "index", *url)
    assert (result.code, result.stdout) == (
        0, f"{Path('dist', 'foo-1.0.tar.gz')}: 3 wheels, variants generic, cu128, cu130\n",
    )  # fmt: skip
    written = json.loads(run("stub", "index", *url, "--format", "json").stdout)
    assert (written["schema-version"], written["wheels"], len(written["sha256"])) == (1, 3, 64)


@pytest.mark.parametrize(
    ("option", "url"),
    [
        ("--public-url", "https://me:pass-word@h/simple"),
        ("--public-url", "https://h/simple pass-word"),
        ("--public-url", "https://h/simple?token=pass-word"),
        ("--index", "https://h/simple?token=pass-word"),
        ("--index", "https://h/simple pass-word"),
    ],
)
def test_an_address_with_a_secret_gets_into_no_sdist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("stub", "foo==1.0", "--index", "wheels", option, url)
    assert result.code == 2
    assert f"{option} has " in result.stderr
    assert "pass-word" not in result.stderr + result.stdout
    assert not (tmp_path / "dist").exists()
