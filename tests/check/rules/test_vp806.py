from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, WINDOWS
from support.families import failures, outcomes, verdicts, wheels_of
from variant_publish.check.rules.links import RequirementsMet

TORCH = f"torch-2.9.1-cp312-cp312-{LINUX}"
VISION = f"torchvision-0.24-cp312-cp312-{LINUX}"


@pytest.mark.parametrize(
    "requires",
    [
        ("torch==2.9.1",),
        ("Torch>=2.9,<3", "numpy==1"),
        ("torch+cu128==2.9.1",),
        ('torch==2.8; python_version < "3.10"', 'torch==2.9.1; python_version >= "3.10"'),
    ],
)
def test_requirements_that_the_family_meets_pass(tmp_path: Path, requires: tuple[str, ...]) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, VISION, requires=requires)
    assert verdicts(RequirementsMet(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("requires", "text"),
    [
        (("torch==2.9.0",), "torch==2.9.0"),
        (("torch+cu128==2.8",), "torch+cu128==2.8"),
        (("torch<3", "torch!=2.9.1"), "torch!=2.9.1"),
        (('torch==2.8; extra == "gpu"',), 'torch==2.8; extra == "gpu"'),
    ],
)
def test_requirements_that_the_family_does_not_meet_fail(tmp_path: Path, requires: tuple[str, ...], text: str) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, VISION, requires=requires)
    assert failures(RequirementsMet(), tmp_path) == [f"it requires {text}, and the family has torch 2.9.1"]


def test_wheels_that_require_the_same_are_one_finding(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, VISION, VISION.replace(LINUX, WINDOWS), requires=("torch==2.8",))
    (found,) = outcomes(RequirementsMet(), tmp_path)
    assert found.file == f"{VISION}.whl"
    assert found.message.endswith("torch 2.9.1 (in 2 wheels)")


def test_a_member_that_was_not_checked_is_unknown(tmp_path: Path) -> None:
    declared = '[tool.variant-publish.family]\nmembers = ["torch", "torchvision", "torchaudio"]\n'
    wheels_of(tmp_path, VISION, f"torchaudio-2.9.1-cp312-cp312-{LINUX}", requires=("torch==2.9.1",))
    assert verdicts(RequirementsMet(), tmp_path, declared) == {"unknown": 2}


def test_members_that_do_not_know_each_other_are_skipped(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH, VISION, requires=("numpy==1",))
    assert verdicts(RequirementsMet(), tmp_path) == {"skip": 1}
