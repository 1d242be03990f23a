from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import VEX, elf
from support.checks import PLAIN, failures, verdicts
from support.code import LEGACY_CODE, MIXED_CODE, V3, VEX_CODE
from support.wheels import make_wheel
from variant_publish.check.rules.cpu import GenericIsGeneric


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
