from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, WINDOWS, failures, outcomes, verdicts
from support.matrices import COMPLETE, MATRIX, NEW, OLD, SKIP, ZIPPED, wheels
from variant_publish.check.rules.matrix import (
    DeclaredCells,
    NoExtraWheels,
)

BOTH = MATRIX.replace('["plus"]', '["plus", "pep825"]')


def test_a_complete_release_passes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(DeclaredCells(), tmp_path, MATRIX) == {"pass": 6}


def test_without_a_declaration_the_rule_is_skipped(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(DeclaredCells(), tmp_path) == {"skip": 1}


def test_a_missing_cell_is_named(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:-1])
    (failure,) = [outcome for outcome in outcomes(DeclaredCells(), tmp_path, MATRIX) if outcome.message]
    assert failure.message == f"no wheel for {NEW}, {LINUX}, cu128"
    assert failure.cell is not None
    assert (failure.cell.python, failure.cell.platform, failure.cell.variant) == (NEW, LINUX, "cu128")


def test_a_skipped_cell_is_counted(tmp_path: Path) -> None:
    wheels(tmp_path, *[part for part in COMPLETE if part != f"{NEW}-{WINDOWS}"])
    assert verdicts(DeclaredCells(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 5, "skip": 1}


def test_a_release_is_complete_in_each_dialect(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE, f"{OLD}-{LINUX}-cu128")
    assert failures(DeclaredCells(), tmp_path, BOTH) == [f"no wheel for {NEW}, {LINUX}, cu128 in dialect pep825"]
    wheels(tmp_path, f"{NEW}-{LINUX}-cu128")
    assert verdicts(DeclaredCells(), tmp_path, BOTH) == {"pass": 6}


def test_a_null_wheel_is_the_generic_one_in_its_dialect_only(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-null")
    small = (
        MATRIX.replace(f', "{WINDOWS}"', "").replace(f', "{NEW}"', "").partition("[tool.variant-publish.variants")[0]
    )
    assert failures(DeclaredCells(), tmp_path, small.replace('["plus"]', '["plus", "pep825"]')) == [
        f"no wheel for {OLD}, {LINUX}, generic in dialect plus"
    ]
    assert verdicts(DeclaredCells(), tmp_path, small.replace('["plus"]', '["pep825"]')) == {"pass": 1}


def test_abi3_older_linux_and_compressed_sets_fill_what_they_cover(tmp_path: Path) -> None:
    wheels(tmp_path, f"cp39-abi3-{WINDOWS}", "cp311.cp312-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
           f"cp311-abi3-{LINUX}+cu128")  # fmt: skip
    assert verdicts(DeclaredCells(), tmp_path, MATRIX) == {"pass": 6}
    assert verdicts(NoExtraWheels(), tmp_path, MATRIX) == {"pass": 3}


def test_axes_that_move_together_are_asked_for_together_only(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{WINDOWS}", f"{NEW}-{LINUX}+cu128")
    assert verdicts(DeclaredCells(), tmp_path, ZIPPED) == {"pass": 3}
    wheels(tmp_path, f"{NEW}-{WINDOWS}")
    assert failures(NoExtraWheels(), tmp_path, ZIPPED) == [f"it fills no declared cell ({NEW}, {WINDOWS}, generic)"]
