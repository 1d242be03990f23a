from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import LEGACY, elf
from support.checks import PLAIN, failures, release_in, verdicts
from support.code import LEGACY_CODE, MIXED_CODE, V3, VEX_CODE
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.rules.cpu import CodeMatchesLevel


@pytest.mark.parametrize("content", [VEX_CODE, MIXED_CODE])
def test_code_that_uses_the_level_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": content, "foo.libs/b.so": LEGACY_CODE})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"pass": 1}


def test_baseline_code_under_a_level_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": LEGACY_CODE})
    assert failures(CodeMatchesLevel(), tmp_path) == [
        (
            "it claims x86-64-v3, and its code was compiled for less (foo/a.so: 60 functions with vector code: 60 with SSE;"
            " nothing in it asks what the processor has)"
        )
    ]


def test_little_code_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(functions=[LEGACY] * 3)})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"unknown": 1}


def test_levels_without_avx_and_fast_checks_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": LEGACY_CODE})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path / "v3", V3, files={"foo/a.so": LEGACY_CODE})
    found = list(CodeMatchesLevel().check(Context(release_in(tmp_path / "v3"), fast=True)))
    assert [outcome.message for outcome in found] == ["--fast leaves the disassembling out"]
