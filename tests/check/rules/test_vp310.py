from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, failures, verdicts
from support.dialects import CONFIG, LABEL, LOCAL, PLAIN, PLUS, make
from variant_publish.check.rules.dialects import SameWheels


def test_all_dialects_with_the_same_wheels_pass(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS, LABEL, LOCAL):
        make(tmp_path, name)
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"pass": 3}


def test_a_wheel_that_one_dialect_lacks_is_named(tmp_path: Path) -> None:
    for name in (PLUS, LABEL, LOCAL, PLUS.replace("cp312", "cp311"), LABEL.replace("cp312", "cp311")):
        make(tmp_path, name)
    [message] = failures(SameWheels(), tmp_path, CONFIG)
    assert "'cu128' lacks 1 of 2 wheels in dialect local" in message
    assert "cp311" in message
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"pass": 2, "fail": 1}


def test_one_dialect_has_nothing_to_compare(tmp_path: Path) -> None:
    make(tmp_path, PLAIN)
    make(tmp_path, PLUS)
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"skip": 1}


def test_a_declared_matrix_is_left_to_the_rules_on_cells(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make(tmp_path, LOCAL.replace("cp312", "cp311"))
    matrix = f'[tool.variant-publish.matrix]\npython = ["cp312-cp312"]\nplatform = ["{LINUX}"]\n'
    assert verdicts(SameWheels(), tmp_path, CONFIG + matrix) == {"skip": 1}
