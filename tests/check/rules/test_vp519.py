from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.claims import RequiresTheSameCuda

CUDA = PLAIN.replace(".whl", "+cu130.whl")


@pytest.mark.parametrize("name", ["nvidia-cublas-cu12", "cupy-cuda12x", "nvidia-cuda-runtime-cu12"])
def test_packages_of_another_cuda_fail(tmp_path: Path, name: str) -> None:
    make_wheel(tmp_path, CUDA, requires=[f"{name}>=1", "numpy"])
    assert failures(RequiresTheSameCuda(), tmp_path) == [f"it claims CUDA 13, and requires {name}"]


def test_packages_of_the_same_cuda_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, CUDA, requires=["nvidia-cublas-cu13", "nvidia-cublas", "cupy-cuda13x", "cuda-toolkit[all]"])
    assert verdicts(RequiresTheSameCuda(), tmp_path) == {"pass": 1}


def test_wheels_that_claim_no_cuda_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["nvidia-cublas-cu12"])
    assert verdicts(RequiresTheSameCuda(), tmp_path) == {"skip": 1}
