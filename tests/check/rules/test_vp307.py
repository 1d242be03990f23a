from __future__ import annotations

from pathlib import Path

from support.checks import MAC, WINDOWS, failures, verdicts
from support.matrices import COMPLETE, MATRIX, NEW, SKIP, ZIPPED, wheels
from variant_publish.check.rules.matrix import (
    LiveSkips,
)


def test_without_a_declaration_the_rule_is_skipped(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(LiveSkips(), tmp_path) == {"skip": 1}


def test_skips_that_leave_something_out_pass(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:3])
    assert verdicts(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 1}
    assert verdicts(LiveSkips(), tmp_path, MATRIX) == {"skip": 1}


def test_a_skip_that_abi3_covers_by_the_way_is_no_dead_one(tmp_path: Path) -> None:
    wheels(tmp_path, f"cp311-abi3-{WINDOWS}")
    assert verdicts(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 1}


def test_skips_that_match_nothing_or_leave_out_nothing_fail(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert "matches no cell" in failures(LiveSkips(), tmp_path, MATRIX + SKIP.format(MAC))[0]
    assert "leaves out nothing" in failures(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS))[0]


def test_a_skip_of_cells_that_never_meet_is_a_dead_one(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:1])
    skip = f'[[tool.variant-publish.matrix.skip]]\npython = "{NEW}"\nvariant = "generic"\nreason = "never"\n'
    assert "matches no cell" in failures(LiveSkips(), tmp_path, ZIPPED + skip)[0]
