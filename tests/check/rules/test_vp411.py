from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import outcomes, verdicts
from support.linked import PLATFORM, VERSIONS, dependency, extension
from support.wheels import make_wheel
from variant_publish.check.engine.rule import Outcome
from variant_publish.check.rules.linkage import LoadsWith
from variant_publish.release.dependencies import Linking


def checked(folder: Path, *against: str) -> list[Outcome]:
    return outcomes(LoadsWith(), folder / "own", linking=Linking.parse(against), index=str(folder / "index"))


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Write a folder with an extension, and an index with the versions of what it is linked against."""
    extension(tmp_path / "own")
    for version in VERSIONS:
        dependency(tmp_path / "index", version)
    return tmp_path


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_extension_loads_where_all_symbols_are_there(both: Path, version: str) -> None:
    (outcome,) = checked(both, f"dep=={version}")
    assert outcome.verdict.value == "pass"
    assert outcome.message.endswith(f"loads with dep {version}: 3 symbols found")


@pytest.mark.parametrize(
    ("version", "symbol"),
    [("2.0", "dep::twice(...)"), ("3.0", "dep_plain")],
)
def test_a_symbol_that_is_gone_or_changed_fails(both: Path, version: str, symbol: str) -> None:
    (outcome,) = checked(both, f"dep=={version}")
    assert outcome.verdict.value == "fail"
    assert outcome.message == f"dep {version} does not export `{symbol}`, which foo/_ext.so needs"


def test_a_range_is_checked_at_both_ends(both: Path) -> None:
    found = checked(both, "dep>=1.0,<3")
    assert [outcome.verdict.value for outcome in found] == ["pass", "fail"]


def test_several_dependencies_share_their_symbols(both: Path) -> None:
    source = VERSIONS["1.0"].replace("int dep_plain", "int other_plain")
    make_wheel(both / "index", f"other-1.0-cp312-cp312-{PLATFORM}.whl", files={"other.py": source.encode()})
    assert [one.verdict.value for one in checked(both, "dep==1.0", "other==1.0")] == ["pass", "skip"]


def test_a_release_without_a_wheel_for_the_platform_is_unknown(both: Path) -> None:
    make_wheel(both / "index", "dep-4.0-cp312-cp312-win_amd64.whl", files={"dep/dep.dll": b""})
    (outcome,) = checked(both, "dep==4.0")
    assert (outcome.verdict.value, outcome.message) == ("unknown", "dep 4.0 has no wheel for its Python and platform")


def test_a_version_that_is_not_there_is_unknown(both: Path) -> None:
    (outcome,) = checked(both, "dep==9.0")
    assert outcome.verdict.value == "unknown"


def test_a_library_that_is_nowhere_makes_what_it_could_export_unknown(tmp_path: Path) -> None:
    extension(tmp_path / "own", needs=["libelsewhere.so.1"])
    dependency(tmp_path / "index", "3.0")
    (outcome,) = checked(tmp_path, "dep==3.0")
    assert outcome.verdict.value == "unknown"
    assert "libelsewhere.so.1 could export it" in outcome.message


def test_another_copy_of_a_library_is_not_the_one_that_is_needed(tmp_path: Path) -> None:
    extension(tmp_path / "own", library="libdep-0123abcd.so")
    dependency(tmp_path / "index", "1.0", "libdep-4567ef01.so")
    (outcome,) = checked(tmp_path, "dep==1.0")
    assert outcome.message == "dep 1.0 does not have `libdep-0123abcd.so`, which foo/_ext.so needs"


def test_a_property_is_checked_by_itself_where_an_index_is_named(both: Path) -> None:
    config = '[tool.variant-publish.variants.dep1]\nproperties = ["abi_dependency :: dep :: 1"]\nlabel = "dep1"\n'
    path = next((both / "own").glob("*.whl"))
    path.rename(path.with_name(path.name.replace(".whl", "-dep1.whl")))
    assert verdicts(LoadsWith(), both / "own", config, index=str(both / "index")) == {"pass": 2}


@pytest.mark.parametrize(("values", "found"), [((1, 2), ["pass", "fail"]), ((2, 3), ["fail", "fail"])])
def test_several_releases_of_a_property_are_a_union_whose_ends_are_checked(
    both: Path, values: tuple[int, ...], found: list[str]
) -> None:
    lines = ", ".join(f'"abi_dependency :: dep :: {value}"' for value in values)
    config = f'[tool.variant-publish.variants.old]\nproperties = [{lines}]\nlabel = "old"\n'
    path = next((both / "own").glob("*.whl"))
    path.rename(path.with_name(path.name.replace(".whl", "-old.whl")))
    seen = outcomes(LoadsWith(), both / "own", config, index=str(both / "index"))
    assert [one.verdict.value for one in seen] == found
    assert f"dep {values[-1]}.0 does not export" in seen[-1].message


def test_nothing_is_asked_offline(both: Path) -> None:
    linking = Linking.parse(["dep==1.0"])
    assert verdicts(LoadsWith(), both / "own", linking=linking, offline=True) == {"unknown": 1}


def test_without_a_dependency_there_is_nothing_to_look_up(both: Path) -> None:
    assert verdicts(LoadsWith(), both / "own") == {"skip": 1}


def test_a_word_that_is_well_known_says_what_to_load_with(tmp_path: Path) -> None:
    path = extension(tmp_path / "own")
    path.rename(path.with_name(path.name.replace(".whl", "+torch2_9.whl")))
    make_wheel(tmp_path / "index", f"torch-2.9.1-cp312-cp312-{PLATFORM}.whl")
    assert verdicts(LoadsWith(), tmp_path / "own", index=str(tmp_path / "index")) == {"skip": 1}
    make_wheel(tmp_path / "other", f"torch-2.8.0-cp312-cp312-{PLATFORM}.whl")
    assert verdicts(LoadsWith(), tmp_path / "own", index=str(tmp_path / "other")) == {"unknown": 1}
