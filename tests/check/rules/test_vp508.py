from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import PLAIN, failures, verdicts
from support.code import V3, VEX_CODE
from support.wheels import make_wheel
from variant_publish.check.rules.cpu import GenericIsGeneric


@pytest.mark.parametrize("content", [VEX_CODE, elf(needed=["libcuda.so.1"]), elf(exports=["PyInit_a"])])
def test_libraries_that_load_everywhere_pass(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": content})
    assert verdicts(GenericIsGeneric(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize("driver", ["libcuda.so.1", "libamdhip64.so.6", "libtpu.so", "libze_loader.so.1", "nvcuda.dll"])
def test_a_module_that_needs_a_driver_fails(tmp_path: Path, driver: str) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/b.so": elf(needed=[driver], exports=["PyInit_b"])})
    assert failures(GenericIsGeneric(), tmp_path) == [
        f"foo/b.so cannot be loaded without {driver}, which is part of a driver",
    ]


def test_variants_and_wheels_without_binaries_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, V3, files={"foo/a.so": VEX_CODE})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(GenericIsGeneric(), tmp_path) == {"skip": 2}
