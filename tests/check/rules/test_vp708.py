from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, PLUS, failures, verdicts
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.rules.destination import NameTaken

STANDARD = "dataclasses-1.0-py3-none-any.whl"


def test_names_of_ones_own_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(NameTaken(), tmp_path) == {"pass": 1}


def test_names_of_the_standard_library_fail_unless_the_project_is_there(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", STANDARD)
    index = listing(tmp_path / "index", "other")
    assert failures(NameTaken(), tmp_path / "dist", index=index) == [
        "dataclasses is the name of a module of the standard library, and PyPI takes no such project"
    ]
    listing(tmp_path / "index", "dataclasses")
    assert verdicts(NameTaken(), tmp_path / "dist", index=index) == {"pass": 1}


def test_without_an_index_nothing_is_known(tmp_path: Path) -> None:
    make_wheel(tmp_path, STANDARD)
    assert verdicts(NameTaken(), tmp_path) == {"unknown": 1}
    assert verdicts(NameTaken(), tmp_path, index="pypi", offline=True) == {"unknown": 1}


def test_projects_that_do_not_go_there_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLUS)
    assert verdicts(NameTaken(), tmp_path / "dist") == {"skip": 1}
