from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LABELLED, PLAIN, PLUS, verdicts
from support.pins import PIN, pinned
from support.wheels import make_wheel
from variant_publish.check.rules.abi import PinPlace


def test_a_release_without_pins_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["numpy==2.0.0"])
    assert verdicts(PinPlace(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize("filename", [PLAIN, PLUS, LABELLED])
def test_pins_in_their_place_pass(tmp_path: Path, filename: str) -> None:
    pinned(tmp_path, filename, PIN)
    assert verdicts(PinPlace(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("filename", "requires", "beside", "count"),
    [
        (PLAIN, [PIN], b"", 1),
        (LABELLED, [PIN], b"", 1),
        (LABELLED, [PIN, "numpy==2.0.0"], PIN.encode(), 1),
        (PLAIN, ["numpy>=2"], PIN.encode(), 1),
        (PLUS, ["numpy==2.0.0"], PIN.encode(), 1),
    ],
)
def test_pins_in_another_place_fail(
    tmp_path: Path, filename: str, requires: list[str], beside: bytes, count: int
) -> None:
    make_wheel(tmp_path, filename, requires=requires, extra_info={"abi-requires.txt": beside})
    assert verdicts(PinPlace(), tmp_path) == {"fail": count}
