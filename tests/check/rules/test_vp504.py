from __future__ import annotations

from pathlib import Path

from support.binaries import elf, fatbin
from support.checks import PLAIN, PLUS, failures, verdicts
from support.code import CLAIM, CLAIMED
from support.wheels import make_wheel
from variant_publish.check.rules.gpu import OtherArchitectures


def test_wheels_that_claim_nothing_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=CLAIMED)})
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(extra=CLAIMED)})
    assert verdicts(OtherArchitectures(), tmp_path) == {"skip": 2}


def test_exactly_the_claimed_code_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(extra=CLAIMED), "foo/b.so": elf()})
    assert verdicts(OtherArchitectures(), tmp_path, CLAIM) == {"pass": 1}


def test_more_code_and_uneven_files_are_told(tmp_path: Path) -> None:
    more = elf(extra=fatbin((90, "", False), (80, "", False)))
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(extra=CLAIMED), "foo/b.so": more})
    assert failures(OtherArchitectures(), tmp_path, CLAIM) == [
        "it has code for sm_80 too",
        "foo/b.so has no code for compute_120, other files of the wheel have",
    ]
