from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC, WINDOWS, outcomes, verdicts
from support.matrices import COMPLETE, MATRIX, OLD, wheels
from variant_publish.check.rules.matrix import (
    NoExtraWheels,
)


def test_a_complete_release_passes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(NoExtraWheels(), tmp_path, MATRIX) == {"pass": 6}


def test_without_a_declaration_the_rule_is_skipped(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(NoExtraWheels(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (f"{OLD}-{MAC}", "it fills no declared cell"),
        (f"{OLD}-{WINDOWS}+cu128", "it fills no declared cell"),
        (f"cp310-cp310-{LINUX}", "it fills no declared cell"),
        (f"{OLD}-manylinux_2_34_x86_64", "it fills no declared cell"),
        (f"{OLD}-{LINUX}+cu129", "variant 'cu129' is not declared"),
        (f"{OLD}-{LINUX}-cu128", "it is of dialect pep825, which the configuration does not name"),
    ],
)
def test_wheels_outside_the_matrix_fail(tmp_path: Path, part: str, reason: str) -> None:
    wheels(tmp_path, *COMPLETE, part)
    (failure,) = [outcome for outcome in outcomes(NoExtraWheels(), tmp_path, MATRIX) if outcome.message]
    assert failure.verdict.value == "fail"
    assert failure.message.startswith(reason)
    assert failure.file == f"foo-1.0-{part}.whl"
