from __future__ import annotations

from pathlib import Path

from support.checks import failures, verdicts
from support.selector_files import CONFIG, LABELLED_V3, PLUS_V3
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    EveryNameHasAWheel,
)


def test_without_selector_files_there_is_nothing_to_check(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(EveryNameHasAWheel(), tmp_path) == {"skip": 1}


def test_files_as_they_are_written_pass(folder: Path) -> None:
    assert verdicts(EveryNameHasAWheel(), folder, CONFIG) == {"pass": 2}


def test_a_name_without_a_wheel_is_told(folder: Path) -> None:
    (folder / PLUS_V3).unlink()
    (folder / LABELLED_V3).unlink()
    assert failures(EveryNameHasAWheel(), folder, CONFIG) == ["'v3' has no wheel"] * 2
