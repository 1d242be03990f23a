from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import LEGACY, VEX, elf, fatbin
from support.checks import LINUX, MAC, failures, release_in, verdicts
from support.wheels import make_wheel
from variant_publish.rules.context import Context
from variant_publish.rules.cpu import CodeMatchesLevel, GenericIsGeneric, GenericWithoutDeviceCode, IsaNote

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
V3 = PLAIN.replace(".whl", "+x86_64_v3.whl")
LEGACY_CODE, VEX_CODE, MIXED_CODE = (
    elf(functions=[LEGACY] * 60),
    elf(functions=[VEX] * 60),
    elf(functions=[LEGACY, VEX] * 40),
)


def test_notes_up_to_the_label_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(isa=1)})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(isa=3)})
    assert verdicts(IsaNote(), tmp_path) == {"pass": 2}


def test_notes_above_the_label_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(isa=2)})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(isa=4)})
    assert failures(IsaNote(), tmp_path) == [
        "foo/a.so demands x86-64-v4, and the wheel is for x86-64-v3",
        "foo/a.so demands x86-64-v2, and the wheel is for x86-64-v1",
    ]


def test_binaries_without_a_note_and_other_machines_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": elf(isa=4)})
    assert verdicts(IsaNote(), tmp_path) == {"skip": 2}


@pytest.mark.parametrize("content", [VEX_CODE, MIXED_CODE])
def test_code_that_uses_the_level_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": content, "foo.libs/b.so": LEGACY_CODE})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"pass": 1}


def test_baseline_code_under_a_level_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": LEGACY_CODE})
    assert failures(CodeMatchesLevel(), tmp_path) == [
        "its code was compiled for the baseline (foo/a.so: 0 functions with AVX (AVX-512: 0), 60 with SSE only)"
    ]


def test_little_code_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(functions=[LEGACY] * 9)})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"unknown": 1}


def test_levels_without_avx_and_fast_checks_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": LEGACY_CODE})
    assert verdicts(CodeMatchesLevel(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path / "v3", V3, files={"foo/a.so": LEGACY_CODE})
    found = list(CodeMatchesLevel().check(Context(release_in(tmp_path / "v3"), fast=True)))
    assert [outcome.message for outcome in found] == ["--fast leaves the disassembling out"]


@pytest.mark.parametrize("content", [LEGACY_CODE, MIXED_CODE, elf(functions=[VEX] * 9), elf(needed=["libcuda.so.1"])])
def test_code_for_every_machine_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": content, "foo.libs/blas.so": VEX_CODE})
    assert verdicts(GenericIsGeneric(), tmp_path) == {"pass": 1}


def test_code_for_some_machines_fails(tmp_path: Path) -> None:
    module = elf(needed=["libcuda.so.1"], exports=["PyInit_b"])
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": VEX_CODE, "foo/b.so": module})
    assert failures(GenericIsGeneric(), tmp_path) == [
        "foo/a.so needs AVX: 60 functions with AVX (AVX-512: 0), 0 with SSE only",
        "foo/b.so cannot be loaded without libcuda.so.1, which is part of a driver",
    ]


def test_variants_and_wheels_without_binaries_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": VEX_CODE})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(GenericIsGeneric(), tmp_path) == {"skip": 2}


def test_device_code_in_the_generic_wheel_is_told_where_there_are_variants(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=fatbin((90, "", False)))})
    assert verdicts(GenericWithoutDeviceCode(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files={"foo/a.so": elf()})
    assert failures(GenericWithoutDeviceCode(), tmp_path) == ["it has GPU code for sm_90"]
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    assert verdicts(GenericWithoutDeviceCode(), tmp_path) == {"pass": 1, "skip": 1}
