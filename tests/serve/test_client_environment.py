"""What clients read from the environment, and which commands would spoil a lock."""

from __future__ import annotations

import os
from configparser import RawConfigParser
from pathlib import Path

import pytest

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.serve.client_environment import LockGuard, client_environment, refuse_locking

URL = "http://127.0.0.1:50000/secret/simple/"


def test_every_client_has_one_index(tmp_path: Path) -> None:
    found = client_environment({"PIP_EXTRA_INDEX_URL": "x", "UV_INDEX": "y", "HOME": "/h"}, URL, tmp_path)
    assert found["PIP_INDEX_URL"] == found["UV_DEFAULT_INDEX"] == found["PDM_PYPI_URL"] == URL
    assert "PIP_EXTRA_INDEX_URL" not in found
    assert found["UV_INDEX"] == URL  # asked before those of configuration files
    assert found["HOME"] == "/h"


def test_more_indexes_of_a_pip_configuration_do_not_count_and_the_rest_of_it_stays(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("[global]\nextra-index-url = x\nproxy = p\n", encoding="utf-8")
    found = client_environment({"PIP_CONFIG_FILE": str(tmp_path / "own.conf")}, URL, tmp_path)
    parser = RawConfigParser()
    parser.read(found["PIP_CONFIG_FILE"], encoding="utf-8")
    assert parser["global"]["extra-index-url"] == parser["install"]["find-links"] == ""
    assert parser["global"]["proxy"] == "p"
    none = client_environment({"PIP_CONFIG_FILE": os.devnull}, URL, tmp_path)
    assert none["PIP_CONFIG_FILE"] == os.devnull


@pytest.mark.parametrize("command", ["uv lock", "uv sync --all-extras", "/usr/bin/uv add foo", "pdm lock", "poetry install",
                                     "uv -q run pytest"])  # fmt: skip
def test_a_command_that_writes_a_lock_is_refused(command: str) -> None:
    with pytest.raises(UsageError, match="would write addresses") as caught:
        refuse_locking(command.split())
    way = "poetry source add --priority=explicit" if "poetry" in command else "explicit = true"
    assert way in (caught.value.hint or "")


@pytest.mark.parametrize("command", ["uv pip install foo", "uv sync --frozen", "uv run --no-project x", "pip install foo",
                                     "pdm install --frozen-lockfile", "tox"])  # fmt: skip
def test_other_commands_are_not(command: str) -> None:
    refuse_locking(command.split())


def test_a_lock_that_got_the_address_is_put_back(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("before", encoding="utf-8")
    guard = LockGuard(tmp_path)
    (tmp_path / "uv.lock").write_text(f"registry = {URL}", encoding="utf-8")
    (tmp_path / "pdm.lock").write_text(f"url = {URL}", encoding="utf-8")
    with pytest.raises(VariantPublishError, match="was put back"):
        guard.restore(URL)
    assert (tmp_path / "uv.lock").read_text(encoding="utf-8") == "before"
    assert not (tmp_path / "pdm.lock").exists()
