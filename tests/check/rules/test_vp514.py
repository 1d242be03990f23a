from __future__ import annotations

from pathlib import Path

from support.binaries import SSE4, elf, macho_code
from support.checks import PLAIN, failures, verdicts
from support.code import LEGACY_CODE, VEX_CODE
from support.wheels import make_wheel
from variant_publish.check.rules.cpu import CodeWithinBaseline, CodeWithinLevel


def test_code_for_v2_in_a_wheel_without_a_level_is_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(functions=[SSE4] * 9), "foo/b.so": LEGACY_CODE})
    assert failures(CodeWithinBaseline(), tmp_path) == [
        (
            "it needs x86-64-v2, and promises x86-64-v1: foo/a.so (9 functions with vector code: 9 with SSE4, 9 with SSE;"
            " nothing in it asks what the processor has)"
        )
    ]


def test_code_for_v1_passes_and_more_is_for_another_rule(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": LEGACY_CODE})
    make_wheel(tmp_path, PLAIN.replace("cp312", "cp313"), files={"foo/a.so": VEX_CODE}, tags=["py3-none-any"])
    assert verdicts(CodeWithinBaseline(), tmp_path) == {"pass": 2}


def test_too_little_above_the_baseline_is_left_to_the_other_rule(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(functions=[SSE4] * 2)})
    assert verdicts(CodeWithinBaseline(), tmp_path) == {"pass": 1}
    assert verdicts(CodeWithinLevel(), tmp_path) == {"unknown": 1}


def test_every_mac_has_v2(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-macosx_10_13_x86_64.whl", files={"foo/a.so": macho_code([SSE4] * 9)})
    assert verdicts(CodeWithinBaseline(), tmp_path) == {"pass": 1}


def test_other_machines_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", files={"foo/a.so": VEX_CODE})
    assert verdicts(CodeWithinBaseline(), tmp_path) == {"skip": 1}
