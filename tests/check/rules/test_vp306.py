from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, MAC, failures, verdicts
from support.matrices import COMPLETE, MATRIX, NEW, OLD, SKIP, wheels
from variant_publish.check.rules.matrix import (
    EveryoneGetsSomething,
)


def test_a_release_with_a_generic_wheel_for_every_variant_passes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(EveryoneGetsSomething(), tmp_path, MATRIX) == {"pass": 2}


def test_a_release_without_variants_needs_no_generic_wheels(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"skip": 1}


def test_an_older_macos_serves_everyone(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-macosx_11_0_universal2", f"{OLD}-{MAC}+a")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"pass": 1}


def test_a_null_wheel_serves_the_machines_of_its_dialect(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-null", f"{OLD}-{LINUX}-a")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"pass": 1}
    wheels(tmp_path, f"{OLD}-{LINUX}+a")
    assert failures(EveryoneGetsSomething(), tmp_path) == [
        f"no generic wheel for {OLD} on {LINUX} in dialect plus, which has a: a machine that no variant fits gets nothing"
    ]


def test_a_missing_or_skipped_generic_wheel_is_reported_once(tmp_path: Path) -> None:
    wheels(tmp_path, *[part for part in COMPLETE if part != f"{NEW}-{LINUX}"])
    for config in (MATRIX, MATRIX + SKIP.format(LINUX) + 'variant = "generic"\n'):
        assert verdicts(EveryoneGetsSomething(), tmp_path, config) == {"pass": 1, "skip": 1}


def test_a_generic_wheel_that_is_missing_in_one_of_two_dialects_is_reported_once(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-null", f"{OLD}-{LINUX}-cu128", f"{OLD}-{LINUX}+cu128")
    declared = MATRIX.replace(f', "{NEW}"', "")
    found = verdicts(EveryoneGetsSomething(), tmp_path, declared)
    assert "fail" not in found
    assert found["skip"] >= 1


def test_both_dialects_are_named_where_neither_serves_everyone(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-a", f"{OLD}-{LINUX}+a")
    (found,) = failures(EveryoneGetsSomething(), tmp_path)
    assert " in dialects " in found
