from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, verdicts
from support.matrices import COMPLETE, MATRIX, OLD, wheels
from variant_publish.check.rules.matrix import (
    NoTwins,
)


def test_a_complete_release_passes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(NoTwins(), tmp_path, MATRIX) == {"pass": 6}


def test_two_wheels_with_one_tag_fail(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-manylinux2014_x86_64", f"{OLD}-manylinux_2_17_x86_64", f"{OLD}-manylinux_2_17_x86_64+a")
    assert verdicts(NoTwins(), tmp_path) == {"pass": 2, "fail": 1}


def test_a_higher_build_number_replaces_a_wheel(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"1-{OLD}-{LINUX}")
    assert verdicts(NoTwins(), tmp_path) == {"pass": 2}


def test_a_tag_in_two_dialects_is_no_twin(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+a", f"{OLD}-{LINUX}-a", f"{OLD}-{LINUX}-null")
    assert verdicts(NoTwins(), tmp_path) == {"pass": 4}
