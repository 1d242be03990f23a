"""What a public repository takes (format notes of Warehouse)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.release.acceptance import refusal_of_name, refusal_of_requirements, refusals_of_metadata


@pytest.mark.parametrize(
    "platform",
    [
        "any", "win32", "win_amd64", "win_arm64", "manylinux1_x86_64", "manylinux2014_aarch64", "linux_armv7l",
        "manylinux_2_28_x86_64", "musllinux_1_2_riscv64", "manylinux_2_17_ppc64", "macosx_10_9_x86_64",
        "macosx_11_0_universal2", "macosx_14_0_arm64", "macosx_26_0_arm64", "ios_13_0_arm64_iphoneos",
        "android_24_arm64_v8a", "pyemscripten_2026_0_wasm32", "manylinux_2_17_x86_64.manylinux2014_x86_64",
    ],
)  # fmt: skip
def test_platforms_that_are_taken(platform: str) -> None:
    assert refusal_of_name(WheelName.parse(f"a-1-py3-none-{platform}.whl")) is None


@pytest.mark.parametrize("platform", ["linux_x86_64", "macosx_14_2_arm64", "x86_64_v3", "manylinux_2_28_x86_64_v3"])
def test_platforms_that_are_refused(platform: str) -> None:
    assert platform in str(refusal_of_name(WheelName.parse(f"a-1-py3-none-{platform}.whl")))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a-1-py3-none-win_amd64+cu128.whl", "variant cu128"),
        ("a-1-py3-none-win_amd64-cu128.whl", "variant cu128"),
        ("a-1-py3-none-win_amd64-null.whl", "variant null"),
        ("a-1+cu128-py3-none-win_amd64.whl", "local version"),
    ],
)
def test_variants_are_refused_unless_the_repository_takes_them(name: str, word: str) -> None:
    assert word in str(refusal_of_name(WheelName.parse(name)))
    assert refusal_of_name(WheelName.parse(name), takes_variants=True) is None


def test_a_requirement_by_url_is_refused(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a-1-py3-none-any.whl", requires=["b", "c @ https://example.org/c-1-py3-none-any.whl"])
    assert refusal_of_requirements(WholeWheel.read(path).metadata) == "it requires c by URL"


def test_every_fault_of_metadata_is_told() -> None:
    told = refusals_of_metadata(b"Metadata-Version: 2.1\nName: foo\nVersion: one\nNo-Such-Field: x\n")
    assert len(told) == 2
    assert "no-such-field" in told[0]
    assert "version" in told[1]
