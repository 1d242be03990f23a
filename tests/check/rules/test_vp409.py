from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.extensions import SameCxxAbi

CXX = ["libstdc++.so.6"]
NEW = elf(needed=CXX, imports=["_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_appendEPKcm"])
OLD = elf(needed=CXX, imports=["_ZNSs4_Rep20_S_empty_rep_storageE"])
NEITHER = elf(needed=CXX, imports=["_Znwm"])


def wheels(folder: Path, generic: bytes, variant: bytes, path: str = "foo/_core.so") -> Path:
    make_wheel(folder, PLAIN, files={path: generic})
    make_wheel(folder, PLUS, files={path: variant})
    return folder


@pytest.mark.parametrize("content", [NEW, OLD, NEITHER])
def test_variants_of_one_abi_pass(tmp_path: Path, content: bytes) -> None:
    assert verdicts(SameCxxAbi(), wheels(tmp_path, content, content)) == {"pass": 1}


def test_variants_of_two_abis_fail(tmp_path: Path) -> None:
    assert failures(SameCxxAbi(), wheels(tmp_path, NEW, OLD)) == [
        "foo/_core.so has the new C++11 ABI in generic, the old one in cu128"
    ]


def test_absence_proves_nothing(tmp_path: Path) -> None:
    assert verdicts(SameCxxAbi(), wheels(tmp_path, NEW, NEITHER)) == {"unknown": 1}


def test_one_variant_and_libraries_of_others_are_skipped(tmp_path: Path) -> None:
    assert verdicts(SameCxxAbi(), wheels(tmp_path, NEW, OLD, "foo.libs/libbar.so.1")) == {"skip": 1}
    assert verdicts(SameCxxAbi(), wheels(tmp_path, elf(), elf())) == {"skip": 1}
    (tmp_path / PLUS).unlink()
    assert verdicts(SameCxxAbi(), tmp_path) == {"skip": 1}
