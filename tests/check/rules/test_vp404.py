from __future__ import annotations

from pathlib import Path

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from support.checks import LINUX, MAC, PLAIN, PLUS, WINDOWS, failures, outcomes, verdicts
from support.pins import DECLARED, PIN, pinned
from support.wheels import make_wheel
from variant_publish.check.engine.rule_choice import Choice
from variant_publish.check.engine.runner import Settings, check
from variant_publish.check.rules.abi import Satisfiable, index_url
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.release.release import load


def indexed(folder: Path, *filenames: str) -> str:
    """Write a flat index of numpy wheels and give a configuration that names it for +pypi."""
    for filename in filenames:
        make_wheel(folder, filename)
    return f'{DECLARED}indexes = {{ pypi = "{folder.as_posix()}" }}\n'


def test_a_release_without_pins_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["numpy==2.0.0"])
    assert verdicts(Satisfiable(), tmp_path) == {"skip": 1}


def test_a_pin_is_satisfied_by_the_index_of_its_tag(tmp_path: Path) -> None:
    pinned(tmp_path / "dist", PLAIN, PIN)
    pinned(tmp_path / "dist", f"foo-1.0-cp39-abi3-{WINDOWS}.whl", PIN)
    pinned(tmp_path / "dist", f"foo-1.0-cp312-cp312-{MAC}.whl", PIN)
    config = indexed(
        tmp_path / "index",
        "numpy-2.0.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        f"numpy-2.0.0-cp312-cp312-{WINDOWS}.whl",
        "numpy-2.0.0-cp312-cp312-macosx_11_0_arm64.whl",
        "numpy-2.1.0-cp312-cp312-win_arm64.whl",
    )
    assert verdicts(Satisfiable(), tmp_path / "dist", config) == {"pass": 4}  # cp39-abi3 is a row of its own


def test_a_cell_without_a_dependency_fails(tmp_path: Path) -> None:
    pinned(tmp_path / "dist", PLAIN, PIN)
    pinned(tmp_path / "dist", PLAIN.replace("cp312", "cp313"), PIN)
    config = indexed(
        tmp_path / "index",
        "numpy-2.0.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "numpy-2.1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        "numpy-2.0.0-cp313-cp313-manylinux_2_17_x86_64+mkl.whl",
        "numpy-2.0.0-cp313-cp313-manylinux_2_34_x86_64.whl",
        "numpy-2.0.0-cp313-cp313-manylinux_2_17_aarch64.whl",
    )
    (failure,) = [outcome for outcome in outcomes(Satisfiable(), tmp_path / "dist", config) if outcome.message]
    assert failure.verdict == "fail"
    assert failure.cell is not None
    assert failure.cell.python == "cp313-cp313"


def test_a_project_that_is_not_there_fails(tmp_path: Path) -> None:
    pinned(tmp_path / "dist", PLAIN, PIN)
    config = indexed(tmp_path / "index", "other-2.0.0-py3-none-any.whl")
    assert "has no wheel of numpy==2.0.0 with +pypi" in failures(Satisfiable(), tmp_path / "dist", config)[0]


def test_wheels_that_carry_the_tag_count_as_well(tmp_path: Path) -> None:
    pin = "numpy+pypi+mkl==2.0.0"
    make_wheel(tmp_path / "dist", PLUS, requires=[pin])
    config = indexed(tmp_path / "carrying", f"numpy-2.0.0-cp312-cp312-{LINUX}+mkl.whl").replace(PIN, pin)
    assert verdicts(Satisfiable(), tmp_path / "dist", config) == {"pass": 1}
    config = indexed(tmp_path / "plain", f"numpy-2.0.0-cp312-cp312-{LINUX}.whl").replace(PIN, pin)
    (outcome,) = outcomes(Satisfiable(), tmp_path / "dist", config)
    assert outcome.message == f"{pin}: no index is configured for +mkl"


@pytest.mark.parametrize(
    ("indexes", "verdict", "reason"),
    [
        ("", "unknown", "no index is configured for +pypi"),
        ('indexes = { pypi = "/no/such/folder" }', "fail", "could not be verified: /no/such/folder cannot be read"),
    ],
)
def test_without_an_index_nothing_is_proven(tmp_path: Path, indexes: str, verdict: str, reason: str) -> None:
    pinned(tmp_path, PLAIN, PIN)
    (outcome,) = outcomes(Satisfiable(), tmp_path, DECLARED + indexes)
    assert outcome.verdict == verdict
    assert reason in outcome.message


def test_a_pin_that_no_index_vouches_for_fails_with_strict(tmp_path: Path) -> None:
    pinned(tmp_path, PLAIN, PIN)
    codes = [
        check(
            load([tmp_path], Config.parse(DECLARED)), settings=Settings(Choice(("VP404",)), fail_on=fail_on)
        ).exit_code()
        for fail_on in FailOn
    ]
    assert codes == [0, 1, 1]


def test_offline_nothing_is_known(tmp_path: Path) -> None:
    pinned(tmp_path / "dist", PLAIN, PIN)
    config = indexed(tmp_path / "index", f"numpy-2.0.0-cp312-cp312-{LINUX}.whl")
    assert verdicts(Satisfiable(), tmp_path / "dist", config, offline=True) == {"unknown": 1}


def test_indexes_have_the_names_of_twine() -> None:
    assert index_url("pypi") == PYPI_SIMPLE_ENDPOINT
    assert index_url("testpypi").endswith("/simple/")
    assert index_url("file:dist-index") == "file:dist-index"
