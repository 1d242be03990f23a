from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, fatbin, offload_bundle
from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.claims import SomethingOfTheGpu

CUDA = PLAIN.replace(".whl", "+cu128.whl")


@pytest.mark.parametrize(
    "content", [elf(extra=fatbin((90, "", False))), elf(needed=["libcudart.so.12"]), elf(extra=b"libcuda.so.1\0")]
)
def test_whatever_is_of_the_gpu_passes(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, CUDA, files={"foo/a.so": content, "foo/b.so": elf()})
    assert verdicts(SomethingOfTheGpu(), tmp_path) == {"pass": 1}


def test_kernels_of_another_distribution_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, CUDA, files={"foo/b.so": elf()}, requires=["nvidia-cublas-cu12"])
    assert verdicts(SomethingOfTheGpu(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(("word", "namespace"), [("cu128", "nvidia"), ("gfx942", "amd"), ("xpu", "intel")])
def test_the_cpu_build_under_the_label_of_a_gpu_fails(tmp_path: Path, word: str, namespace: str) -> None:
    make_wheel(tmp_path, CUDA.replace("cu128", word), files={"foo/a.so": elf(needed=["libc.so.6"])})
    assert failures(SomethingOfTheGpu(), tmp_path) == [
        f"it claims {namespace}, and its binaries have neither its device code nor its libraries"
    ]


def test_code_for_another_gpu_does_not_count(tmp_path: Path) -> None:
    make_wheel(tmp_path, CUDA, files={"foo/a.so": elf(extra=offload_bundle("hipv4-amdgcn-amd-amdhsa--gfx942"))})
    assert verdicts(SomethingOfTheGpu(), tmp_path) == {"fail": 1}


def test_wheels_that_claim_no_gpu_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    assert verdicts(SomethingOfTheGpu(), tmp_path) == {"skip": 1}
