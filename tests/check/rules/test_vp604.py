from __future__ import annotations

from pathlib import Path

from support.checks import failures, verdicts
from support.selector_files import LABELLED_V3, PLUS_V3, metadata_of
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    NoConflict,
)


def test_wheels_that_contradict_each_other_are_a_conflict(folder: Path) -> None:
    assert verdicts(NoConflict(), folder) == {"pass": 1}
    make_wheel(folder, LABELLED_V3.replace("cp312", "cp313"), variant=metadata_of("v3", "x86_64 :: level :: v4"))
    assert "label 'v3' means two things" in failures(NoConflict(), folder)[0]


def test_without_labelled_wheels_there_is_nothing_to_unite(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(NoConflict(), tmp_path) == {"skip": 1}
