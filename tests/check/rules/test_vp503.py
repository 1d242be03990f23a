from __future__ import annotations

from pathlib import Path

from support.binaries import elf, fatbin
from support.checks import PLAIN, PLUS, failures, verdicts
from support.code import CLAIM, CLAIMED
from support.wheels import make_wheel
from variant_publish.check.rules.gpu import ClaimedArchitectures


def test_claimed_code_that_is_there_passes(tmp_path: Path) -> None:
    make_wheel(
        tmp_path,
        PLUS,
        files={"foo/a.so": elf(extra=fatbin((90, "a", False))), "foo/b.so": elf(extra=fatbin((120, "", True)))},
    )
    assert verdicts(ClaimedArchitectures(), tmp_path, CLAIM) == {"pass": 1}


def test_claimed_code_that_is_missing_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(extra=fatbin((90, "", False), (120, "", False)))})
    assert failures(ClaimedArchitectures(), tmp_path, CLAIM) == [
        "it claims compute_120, its binaries have sm_90, sm_120"
    ]


def test_a_wheel_without_device_code_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf()})
    assert verdicts(ClaimedArchitectures(), tmp_path, CLAIM) == {"unknown": 1}


def test_wheels_that_claim_nothing_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=CLAIMED)})
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(extra=CLAIMED)})
    assert verdicts(ClaimedArchitectures(), tmp_path) == {"skip": 2}
