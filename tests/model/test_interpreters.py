from __future__ import annotations

import pytest

from variant_publish.model.interpreters import gets_releases, interpreter_exists, interpreter_of


@pytest.mark.parametrize(
    ("python", "platform", "exists"),
    [
        ("cp312-cp312", "manylinux_2_28_x86_64", True),
        ("cp310-cp310", "win_arm64", False),
        ("cp311-cp311", "win_arm64", True),
        ("cp37-cp37m", "macosx_11_0_arm64", False),
        ("cp38-cp38", "manylinux_2_31_riscv64", False),
        ("cp314-cp314t", "musllinux_1_2_i686", True),
        ("pp311-pypy311_pp73", "manylinux_2_28_x86_64", True),
        ("pp311-pypy311_pp73", "musllinux_1_2_x86_64", False),
        ("pp310-pypy310_pp73", "manylinux_2_17_s390x", False),
        ("graalpy311-graalpy242_311_native", "macosx_11_0_arm64", True),
        ("graalpy311-graalpy242_311_native", "win32", False),
        ("cp313-cp313", "ios_13_0_arm64_iphoneos", True),
        ("cp312-cp312", "android_21_arm64_v8a", False),
        ("py3-none", "any", True),
        ("cp312-cp312", "macosx_10_9_x86_64", False),
        ("cp312-cp312", "macosx_10_13_x86_64", True),
        ("cp314-cp314", "macosx_10_13_x86_64", False),
        ("cp311-cp311", "macosx_10_9_x86_64", True),
        ("cp313-cp313", "pyemscripten_2026_0_wasm32", False),
        ("cp314-cp314", "pyemscripten_2026_0_wasm32", True),
        ("cp314-cp314", "pyemscripten_2026_5_wasm32", False),
        ("cp314-cp314t", "pyemscripten_2026_0_wasm32", False),
        ("cp314-cp314t", "ios_13_0_arm64_iphoneos", False),
        ("cp315-cp315t", "android_24_arm64_v8a", False),
        ("pp311-pypy311_pp73", "macosx_10_9_x86_64", False),
        ("pp311-pypy311_pp80", "macosx_10_15_x86_64", True),
    ],
)
def test_an_interpreter_is_distributed_for_some_platforms(python: str, platform: str, exists: bool) -> None:
    assert interpreter_exists(python, platform) is exists


@pytest.mark.parametrize(
    ("python", "other", "same"),
    [
        ("pp311-pypy311_pp73", "pp311-pypy311_pp80", True),
        ("pp311-pypy311_pp80", "pp312-pypy312_pp80", False),
        ("cp314-cp314", "cp314-cp314t", False),
        ("cp314-cp314", "cp314-cp314", True),
    ],
)
def test_two_abis_of_pypy_are_one_interpreter(python: str, other: str, same: bool) -> None:
    assert (interpreter_of(python) == interpreter_of(other)) is same


@pytest.mark.parametrize(
    ("python", "gets"),
    [("pp310-pypy310_pp73", False), ("pp311-pypy311_pp73", True), ("cp39-cp39", False), ("cp39-abi3", True),
     ("cp310-cp310", True), ("py3-none", True)],
)  # fmt: skip
def test_old_lines_get_no_releases(python: str, gets: bool) -> None:
    assert gets_releases(python) is gets
