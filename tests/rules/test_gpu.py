from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, fatbin
from support.checks import LINUX, failures, verdicts
from support.wheels import make_wheel
from variant_publish.rules.gpu import ClaimedArchitectures, CudaMajor, OtherArchitectures

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
CU128 = PLAIN.replace(".whl", "+cu128.whl")
CLAIM = """[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real", "nvidia :: sm_arch :: 120_virtual"]
"""
WHOLE = fatbin((90, "", False), (120, "", True))


def test_claimed_code_that_is_there_passes(tmp_path: Path) -> None:
    make_wheel(
        tmp_path,
        CU128,
        files={"foo/a.so": elf(extra=fatbin((90, "a", False))), "foo/b.so": elf(extra=fatbin((120, "", True)))},
    )
    assert verdicts(ClaimedArchitectures(), tmp_path, CLAIM) == {"pass": 1}


def test_claimed_code_that_is_missing_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf(extra=fatbin((90, "", False), (120, "", False)))})
    assert failures(ClaimedArchitectures(), tmp_path, CLAIM) == [
        "it claims compute_120, its binaries have sm_90, sm_120"
    ]


def test_a_wheel_without_device_code_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf()})
    assert verdicts(ClaimedArchitectures(), tmp_path, CLAIM) == {"unknown": 1}


@pytest.mark.parametrize("rule", [ClaimedArchitectures(), OtherArchitectures()], ids=lambda rule: rule.id)
def test_wheels_that_claim_nothing_are_skipped(tmp_path: Path, rule: ClaimedArchitectures) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=WHOLE)})
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf(extra=WHOLE)})
    assert verdicts(rule, tmp_path) == {"skip": 2}


def test_exactly_the_claimed_code_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf(extra=WHOLE), "foo/b.so": elf()})
    assert verdicts(OtherArchitectures(), tmp_path, CLAIM) == {"pass": 1}


def test_more_code_and_uneven_files_are_told(tmp_path: Path) -> None:
    more = elf(extra=fatbin((90, "", False), (80, "", False)))
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf(extra=WHOLE), "foo/b.so": more})
    assert failures(OtherArchitectures(), tmp_path, CLAIM) == [
        "it has code for sm_80 too",
        "foo/b.so has no code for compute_120, other files of the wheel have",
    ]


@pytest.mark.parametrize(
    "content",
    [
        elf(needed=["libcudart.so.12", "libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12", "libcurand.so.10"]),
        elf(extra=WHOLE),
        elf(extra=fatbin((90, "", False)) + b"Cuda compilation tools, release 12.8, V12.8.93\0"),
    ],
)
def test_the_claimed_cuda_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": content})
    assert verdicts(CudaMajor(), tmp_path, CLAIM) == {"pass": 1}
    assert verdicts(CudaMajor(), tmp_path) == {"pass": 1}  # the tag says the same as the properties


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (elf(needed=["libcudart.so.11.0"]), "it claims CUDA 12, and foo/a.so needs libcudart.so.11.0 of CUDA 11"),
        (elf(needed=["cudart64_13.dll"]), "it claims CUDA 12, and foo/a.so needs cudart64_13.dll of CUDA 13"),
        (elf(extra=fatbin((90, "", True), ptx=(9, 0))), "it claims CUDA 12, and foo/a.so has device code of CUDA 13"),
    ],
)
def test_another_cuda_fails(tmp_path: Path, content: bytes, message: str) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": content})
    assert failures(CudaMajor(), tmp_path, CLAIM) == [message]


def test_a_wheel_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, CU128, files={"foo/a.so": elf(needed=["libcudnn.so.9"])})
    assert verdicts(CudaMajor(), tmp_path, CLAIM) == {"unknown": 1}


def test_a_wheel_without_a_claim_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(needed=["libcudart.so.12"])})
    assert verdicts(CudaMajor(), tmp_path) == {"skip": 1}
