from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC, WINDOWS
from support.families import failures, verdicts, wheels_of
from variant_publish.check.rules.links import PinnedServed

OLD, NEW = "cp311-cp311", "cp312-cp312"
TORCH = f"torch-2.9-{NEW}-{LINUX}"
VISION = f"torchvision-0.24-{NEW}-{LINUX}"


@pytest.mark.parametrize("pin", ["torch==2.9", "torch<=2.9,>=2.9"])
@pytest.mark.parametrize("torch", [TORCH, f"torch-2.9-cp39-abi3-{LINUX}", f"torch-2.9-{NEW}-manylinux2014_x86_64"])
def test_a_wheel_for_every_cell_of_the_pinning_one_passes(tmp_path: Path, torch: str, pin: str) -> None:
    wheels_of(tmp_path, torch)
    wheels_of(tmp_path, VISION, requires=(pin,))
    assert verdicts(PinnedServed(), tmp_path) == {"pass": 1}


def test_pythons_and_platforms_that_the_pinned_one_lacks_are_named(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, VISION, VISION.replace(NEW, OLD), VISION.replace(LINUX, WINDOWS), requires=("torch==2.9",))
    assert failures(PinnedServed(), tmp_path) == [
        f"torchvision pins torch, which has no wheel for {OLD} on {LINUX}",
        f"torchvision pins torch, which has no wheel for {NEW} on {WINDOWS}",
    ]


def test_a_variant_is_served_by_the_same_one_or_a_wheel_for_everyone(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"{TORCH}+cu128")
    wheels_of(tmp_path, f"{VISION}+cu128", requires=("torch==2.9",))
    assert verdicts(PinnedServed(), tmp_path) == {"pass": 1}
    wheels_of(tmp_path, f"{VISION}+cu130", requires=("torch==2.9",))
    assert failures(PinnedServed(), tmp_path) == [
        f"torchvision pins torch, which has no wheel for {NEW} on {LINUX}, cu130"
    ]
    wheels_of(tmp_path, TORCH)
    assert verdicts(PinnedServed(), tmp_path) == {"pass": 1}


def test_a_pin_with_tags_wants_a_wheel_with_them(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, f"{VISION}+cu128", requires=("torch+cu128==2.9",))
    assert len(failures(PinnedServed(), tmp_path)) == 1
    wheels_of(tmp_path, f"{TORCH}+cu128")
    assert verdicts(PinnedServed(), tmp_path) == {"pass": 1}


def test_markers_say_where_a_pin_counts(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH)
    marked = 'torch==2.9; platform_system == "Linux"'
    wheels_of(tmp_path, VISION, VISION.replace(LINUX, MAC), requires=(marked,))
    assert verdicts(PinnedServed(), tmp_path) == {"pass": 1}


def test_what_cannot_be_decided_by_wheels_is_skipped(tmp_path: Path) -> None:
    wheels_of(tmp_path, TORCH)
    wheels_of(tmp_path, VISION.replace(LINUX, WINDOWS), requires=("torch>=2",))
    assert verdicts(PinnedServed(), tmp_path) == {"skip": 1}
    wheels_of(tmp_path, VISION.replace(LINUX, WINDOWS), requires=("torch==2.9",))
    (tmp_path / "torch-2.9.tar.gz").write_bytes(b"")
    assert verdicts(PinnedServed(), tmp_path) == {"skip": 1}
