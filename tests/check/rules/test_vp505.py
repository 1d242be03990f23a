from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, fatbin
from support.checks import PLAIN, PLUS, failures, verdicts
from support.code import CLAIM, CLAIMED
from support.wheels import make_wheel
from variant_publish.check.rules.gpu import RuntimeMajor


@pytest.mark.parametrize(
    "content",
    [
        elf(needed=["libcudart.so.12", "libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12", "libcurand.so.10"]),
        elf(extra=CLAIMED),
        elf(extra=fatbin((90, "", False)) + b"Cuda compilation tools, release 12.8, V12.8.93\0"),
    ],
)
def test_the_claimed_cuda_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": content})
    assert verdicts(RuntimeMajor(), tmp_path, CLAIM) == {"pass": 1}
    assert verdicts(RuntimeMajor(), tmp_path) == {"pass": 1}  # the tag says the same as the properties


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (elf(needed=["libcudart.so.11.0"]), "it claims CUDA 12, and foo/a.so needs libcudart.so.11.0 of CUDA 11"),
        (elf(needed=["cudart64_13.dll"]), "it claims CUDA 12, and foo/a.so needs cudart64_13.dll of CUDA 13"),
        (elf(extra=fatbin((90, "", True), ptx=(9, 0))), "it claims CUDA 12, and foo/a.so has device code of CUDA 13"),
    ],
)
def test_another_cuda_fails(tmp_path: Path, content: bytes, message: str) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": content})
    assert failures(RuntimeMajor(), tmp_path, CLAIM) == [message]


def test_a_wheel_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(needed=["libcudnn.so.9"])})
    assert verdicts(RuntimeMajor(), tmp_path, CLAIM) == {"unknown": 1}


def test_a_wheel_without_a_claim_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(needed=["libcudart.so.12"])})
    assert verdicts(RuntimeMajor(), tmp_path) == {"skip": 1}
