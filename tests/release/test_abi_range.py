from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version

from support.cli import run
from support.linked import PLATFORM, VERSIONS, dependency, extension
from support.wheels import make_wheel
from variant_publish import api


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Write an index with every version of the dependency, and one for another system only."""
    for version in VERSIONS:
        dependency(tmp_path / "index", version)
    make_wheel(tmp_path / "index", "dep-4.0-cp312-cp312-win_amd64.whl", files={"dep/dep.dll": b""})
    return tmp_path / "index"


def test_the_range_ends_where_a_symbol_is_gone(tmp_path: Path, index: Path) -> None:
    found = api.abi_range(extension(tmp_path / "own", requires=["dep==1.0"]), "dep", index=str(index))
    assert (found.oldest, found.newest, found.built_against) == (Version("1.0"), Version("1.1"), Version("1.0"))
    assert found.bounds == ("dep 2.0 does not export `dep::twice(...)`, which foo/_ext.so needs",)
    assert str(found.proposed) == "abi_dependency :: dep :: 1.0"


def test_what_it_was_built_against_is_not_guessed(tmp_path: Path, index: Path) -> None:
    found = api.abi_range(extension(tmp_path / "own", requires=["dep>=1"]), "dep", index=str(index))
    assert (str(found), found.built_against, found.proposed) == ("loads with dep 1.0 to 1.1", None, None)


def test_a_wheel_that_loads_with_nothing_has_no_range(tmp_path: Path) -> None:
    dependency(tmp_path / "index", "3.0")
    found = api.abi_range(extension(tmp_path / "own"), "dep", index=str(tmp_path / "index"))
    assert str(found) == "loads with no release of dep that was tried"
    assert found.proposed is None


def test_many_releases_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    own = extension(tmp_path / "own", requires=["dep<=1.20"])
    good, bad = dependency(tmp_path / "one", "1.0"), dependency(tmp_path / "two", "3.0")
    (tmp_path / "index").mkdir()
    for minor in range(40):
        source = good if minor <= 30 else bad
        (tmp_path / "index" / f"dep-1.{minor}-cp312-cp312-{PLATFORM}.whl").write_bytes(source.read_bytes())
    found = api.abi_range(own, "dep", index=str(tmp_path / "index"))
    assert (found.oldest, found.newest) == (Version("1.0"), Version("1.30"))
    assert len(found.tried) <= 16


def test_inspect_prints_the_range_and_the_property(tmp_path: Path, index: Path) -> None:
    wheel = extension(tmp_path / "own", requires=["dep==1.0"])
    text = run("inspect", str(wheel), "--abi", "dep", "--index", str(index)).stdout
    assert "ABI             loads with dep 1.0 to 1.1" in text
    assert '    "abi_dependency :: dep :: 1.0",' in text
    document = json.loads(run("inspect", str(wheel), "--abi", "dep", "--index", str(index), "--format", "json").stdout)
    assert document["wheels"][0]["abi"]["property"] == "abi_dependency :: dep :: 1.0"
    assert {one["version"]: one["loads"] for one in document["wheels"][0]["abi"]["tried"]}["2.0"] is False
