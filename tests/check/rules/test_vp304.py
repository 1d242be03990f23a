from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, MAC, WINDOWS, failures, verdicts
from support.matrices import COMPLETE, MATRIX, NEW, OLD, product, wheels
from variant_publish.check.rules.holes import NoHoles
from variant_publish.check.rules.matrix import EveryoneGetsSomething


def test_a_full_rectangle_has_no_holes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(NoHoles(), tmp_path) == {"pass": 6}
    assert verdicts(NoHoles(), tmp_path, MATRIX) == {"skip": 1}


def test_a_hole_is_named(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:3], COMPLETE[4])
    assert failures(NoHoles(), tmp_path) == [
        f"no wheel for {NEW} on {WINDOWS}",
        f"no wheel for {NEW} on {LINUX}, variant 'cu128'",
    ]


def test_wide_wheels_make_no_holes(tmp_path: Path) -> None:
    wheels(tmp_path, "py3-none-any", *product([OLD, NEW], [f"{LINUX}+a"]), f"cp39-abi3-{LINUX}+b",
           f"cp314-cp314t-{LINUX}+a", f"cp314-cp314t-{LINUX}+b", f"{OLD}-manylinux2014_x86_64+c",
           f"{NEW}-manylinux2014_x86_64+c", f"cp314-cp314t-{LINUX}+c")  # fmt: skip
    assert failures(NoHoles(), tmp_path) == []


def test_a_wheel_for_an_older_macos_serves_a_newer_one(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-macosx_11_0_arm64", f"{NEW}-{MAC}")
    assert failures(NoHoles(), tmp_path) == [f"no wheel for {NEW} on macosx_11_0_arm64"]


def test_where_an_interpreter_is_not_distributed_no_wheel_is_missing(tmp_path: Path) -> None:
    pypy, musl = "pp311-pypy311_pp73", "musllinux_1_2_x86_64"
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{pypy}-{LINUX}", f"{OLD}-{musl}")
    assert verdicts(NoHoles(), tmp_path) == {"pass": 3, "skip": 1}


def test_a_generic_wheel_that_lacks_a_variants_cell_is_left_to_its_own_rule(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+a", f"{NEW}-{LINUX}+a")
    assert verdicts(NoHoles(), tmp_path) == {"pass": 3, "skip": 1}
    assert failures(EveryoneGetsSomething(), tmp_path) == [
        f"no generic wheel for {NEW} on {LINUX}, which has a: a machine that no variant fits gets nothing"
    ]


def test_what_a_release_supports_in_part_is_no_hole(tmp_path: Path) -> None:
    threaded = "cp314-cp314t"
    places = [LINUX, WINDOWS, MAC, "musllinux_1_2_x86_64", "win_arm64"]
    wheels(tmp_path, *product([OLD, NEW], places), *product([threaded], places[:2]))
    assert verdicts(NoHoles(), tmp_path) == {"pass": 12, "skip": 3}
    wheels(tmp_path, f"{threaded}-{MAC}")
    assert failures(NoHoles(), tmp_path) == [f"no wheel for {threaded} on {place}" for place in places[3:]]


def test_a_platform_of_one_python_is_no_hole_of_the_others(tmp_path: Path) -> None:
    pythons = ["cp312-cp312", "cp313-cp313", "cp314-cp314"]
    wheels(tmp_path, *product(pythons, [LINUX, WINDOWS]), f"cp312-cp312-{MAC}")
    assert verdicts(NoHoles(), tmp_path) == {"pass": 7, "skip": 2}


def test_a_platform_of_abi3_alone_is_no_hole_of_other_pythons(tmp_path: Path) -> None:
    wheels(tmp_path, *product(["cp310-cp310", OLD, "cp312-abi3", "cp313-cp313", "cp314-cp314"], [LINUX, MAC]),
           f"cp312-abi3-{WINDOWS}")  # fmt: skip
    assert verdicts(NoHoles(), tmp_path) == {"pass": 13, "skip": 2}


def test_two_abis_of_pypy_are_one_interpreter(tmp_path: Path) -> None:
    old, new = "pp311-pypy311_pp73", "pp311-pypy311_pp80"
    wheels(tmp_path, *product([OLD], [LINUX, WINDOWS, MAC]), f"{old}-{LINUX}", f"{new}-{WINDOWS}")
    assert failures(NoHoles(), tmp_path) == [f"no wheel for {new} on {MAC}"]


def test_a_hole_of_two_macos_versions_is_told_once(tmp_path: Path) -> None:
    macs = ["macosx_10_13_x86_64", "macosx_10_15_x86_64", "macosx_14_0_x86_64"]
    threaded = "cp313-cp313t"
    wheels(tmp_path, *product(["cp312-cp312"], [LINUX, *macs]), *product([threaded], [LINUX, macs[-1]]))
    assert failures(NoHoles(), tmp_path) == [f"no wheel for {threaded} on {macs[0]}"]


def test_a_hole_is_told_where_one_for_an_older_macos_is_left_out(tmp_path: Path) -> None:
    old, new = "macosx_11_0_arm64", "macosx_12_0_arm64"
    pythons = ["cp312-cp312", "cp313-cp313", "cp314-cp314", "cp315-cp315"]
    wheels(tmp_path, *product([*pythons, OLD], [LINUX, WINDOWS]), *product(pythons[1:], [new]), f"{OLD}-{old}")
    assert failures(NoHoles(), tmp_path) == [f"no wheel for cp312-cp312 on {new}"]


def test_graalpy_leaves_no_holes(tmp_path: Path) -> None:
    wheels(tmp_path, *product([NEW], [LINUX, WINDOWS]), f"graalpy312-graalpy250_312_native-{LINUX}")
    assert verdicts(NoHoles(), tmp_path) == {"pass": 3, "skip": 1}
