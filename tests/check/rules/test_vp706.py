from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, PLUS, failures, verdicts
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.rules.destination import NamesHeld


def test_names_that_are_held_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["Bar>=1", "baz==2; extra == 'all'", "not a requirement"])
    listing(tmp_path / "index", "bar")
    index = listing(tmp_path / "index", "baz")
    assert verdicts(NamesHeld(), tmp_path / "dist", index=index) == {"pass": 3}


def test_names_that_anyone_can_take_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLUS, requires=["bar>=1", "ours-kernels==1.0"])
    index = listing(tmp_path / "index", "bar")
    assert failures(NamesHeld(), tmp_path / "dist", index=index) == [
        f"the project foo is not on {index}: anyone can take the name there",
        f"ours-kernels, which the wheels require, is not on {index}: anyone can take the name there",
    ]
    assert verdicts(NamesHeld(), tmp_path / "dist", index=index) == {"pass": 1, "fail": 2}


def test_without_an_answer_nothing_is_known(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLUS)
    assert verdicts(NamesHeld(), tmp_path / "dist", index=str(tmp_path / "gone")) == {"unknown": 1}
    assert verdicts(NamesHeld(), tmp_path / "dist", index="pypi", offline=True) == {"unknown": 1}


def test_without_an_index_it_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(NamesHeld(), tmp_path) == {"skip": 1}
