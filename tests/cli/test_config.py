from __future__ import annotations

import json
from pathlib import Path

from support.cli import run
from variant_publish.config.schema import schema


def test_the_schema_is_printed() -> None:
    assert json.loads(run("config", "schema").stdout) == schema()


def test_the_configuration_is_shown_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[variants.cu128]\nlabel = 'x'\n")
    found = json.loads(run("config", "show", "--config", str(tmp_path / "own.toml")).stdout)
    assert found["declared"] is True
    assert found["configuration"]["variants"]["cu128"]["label"] == "x"
    assert found["configuration"]["upload"]["large"] == "100 MB"


def test_a_password_in_a_url_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('upload.repository-url = "https://me:planted@example.org/"\n')
    result = run("config", "show", "--config", str(tmp_path / "own.toml"))
    assert "example.org" in result.stdout
    assert "planted" not in result.stdout


def test_a_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("variantz = 1\n")
    result = run("config", "show", "--config", str(tmp_path / "own.toml"))
    assert result.code == 2
    assert "did you mean 'variants'?" in result.stderr
