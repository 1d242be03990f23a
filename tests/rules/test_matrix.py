from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from support.checks import LINUX, MAC, WINDOWS, failures, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.rules.matrix import (
    DeclaredCells,
    EveryoneGetsSomething,
    LiveSkips,
    NoExtraWheels,
    NoHoles,
    NoTwins,
    VariantOnAllPlatforms,
)

MATRIX = f"""
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]

[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
"""
BOTH = '[tool.variant-publish]\ndialects = ["plus", "pep825"]\n' + MATRIX
SKIP = '[[tool.variant-publish.matrix.skip]]\npython = "cp312-cp312"\nplatform = "{}"\nreason = "no toolchain"\n'
OLD, NEW = "cp311-cp311", "cp312-cp312"


def wheels(folder: Path, *parts: str) -> None:
    for part in parts:
        make_wheel(folder, f"foo-1.0-{part}.whl")


def product(pythons: Iterable[str], platforms: Iterable[str]) -> list[str]:
    return [f"{python}-{platform}" for python in pythons for platform in platforms]


COMPLETE = [*product([OLD, NEW], [LINUX, WINDOWS]), *product([OLD, NEW], [f"{LINUX}+cu128"])]


def test_a_complete_release_passes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(DeclaredCells(), tmp_path, MATRIX) == {"pass": 6}
    assert verdicts(NoExtraWheels(), tmp_path, MATRIX) == {"pass": 6}
    assert verdicts(NoTwins(), tmp_path, MATRIX) == {"pass": 6}
    assert verdicts(EveryoneGetsSomething(), tmp_path, MATRIX) == {"pass": 2}


def test_without_a_declaration_nothing_is_missing_or_extra(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    for rule in (DeclaredCells(), NoExtraWheels(), LiveSkips()):
        assert verdicts(rule, tmp_path) == {"skip": 1}


def test_a_missing_cell_is_named(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:-1])
    (failure,) = [outcome for outcome in outcomes(DeclaredCells(), tmp_path, MATRIX) if outcome.message]
    assert failure.message == f"no wheel for {NEW}, {LINUX}, cu128"
    assert failure.cell is not None
    assert (failure.cell.python, failure.cell.platform, failure.cell.variant) == (NEW, LINUX, "cu128")


def test_a_skipped_cell_is_counted(tmp_path: Path) -> None:
    wheels(tmp_path, *[part for part in COMPLETE if part != f"{NEW}-{WINDOWS}"])
    assert verdicts(DeclaredCells(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 5, "skip": 1}


def test_a_release_is_complete_in_each_dialect(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE, f"{OLD}-{LINUX}-cu128")
    assert failures(DeclaredCells(), tmp_path, BOTH) == [f"no wheel for {NEW}, {LINUX}, cu128 in dialect pep825"]
    wheels(tmp_path, f"{NEW}-{LINUX}-cu128")
    assert verdicts(DeclaredCells(), tmp_path, BOTH) == {"pass": 6}


def test_a_null_wheel_is_the_generic_one_in_its_dialect_only(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-null")
    small = (
        MATRIX.replace(f', "{WINDOWS}"', "").replace(f', "{NEW}"', "").partition("[tool.variant-publish.variants")[0]
    )
    assert failures(DeclaredCells(), tmp_path, '[tool.variant-publish]\ndialects = ["plus", "pep825"]\n' + small) == [
        f"no wheel for {OLD}, {LINUX}, generic in dialect plus"
    ]
    assert verdicts(DeclaredCells(), tmp_path, '[tool.variant-publish]\ndialects = ["pep825"]\n' + small) == {"pass": 1}


def test_abi3_older_linux_and_compressed_sets_fill_what_they_cover(tmp_path: Path) -> None:
    wheels(tmp_path, f"cp39-abi3-{WINDOWS}", "cp311.cp312-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
           f"cp311-abi3-{LINUX}+cu128")  # fmt: skip
    assert verdicts(DeclaredCells(), tmp_path, MATRIX) == {"pass": 6}
    assert verdicts(NoExtraWheels(), tmp_path, MATRIX) == {"pass": 3}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (f"{OLD}-{MAC}", "it fills no declared cell"),
        (f"{OLD}-{WINDOWS}+cu128", "it fills no declared cell"),
        (f"cp310-cp310-{LINUX}", "it fills no declared cell"),
        (f"{OLD}-manylinux_2_34_x86_64", "it fills no declared cell"),
        (f"{OLD}-{LINUX}+cu129", "variant 'cu129' is not declared"),
        (f"{OLD}-{LINUX}-cu128", "it is of dialect pep825, which the configuration does not name"),
    ],
)
def test_wheels_outside_the_matrix_fail(tmp_path: Path, part: str, reason: str) -> None:
    wheels(tmp_path, *COMPLETE, part)
    (failure,) = [outcome for outcome in outcomes(NoExtraWheels(), tmp_path, MATRIX) if outcome.message]
    assert failure.message.startswith(reason)
    assert failure.file == f"foo-1.0-{part}.whl"


def test_two_wheels_with_one_tag_fail(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-manylinux2014_x86_64", f"1-{OLD}-manylinux_2_17_x86_64", f"{OLD}-manylinux_2_17_x86_64+a")
    assert verdicts(NoTwins(), tmp_path) == {"pass": 2, "fail": 1}


def test_a_tag_in_two_dialects_is_no_twin(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+a", f"{OLD}-{LINUX}-a", f"{OLD}-{LINUX}-null")
    assert verdicts(NoTwins(), tmp_path) == {"pass": 4}


def test_a_full_rectangle_has_no_holes(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert verdicts(NoHoles(), tmp_path) == {"pass": 6}
    assert verdicts(NoHoles(), tmp_path, MATRIX) == {"skip": 1}


def test_a_hole_is_named(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:3], COMPLETE[4])
    assert failures(NoHoles(), tmp_path) == [
        f"no wheel for {NEW}, {WINDOWS}, generic, though its python, its platform and its variant occur elsewhere",
        f"no wheel for {NEW}, {LINUX}, cu128, though its python, its platform and its variant occur elsewhere",
    ]


def test_wide_wheels_make_no_holes(tmp_path: Path) -> None:
    wheels(tmp_path, "py3-none-any", *product([OLD, NEW], [f"{LINUX}+a"]), f"cp39-abi3-{LINUX}+b",
           f"cp314-cp314t-{LINUX}+a", f"cp314-cp314t-{LINUX}+b", f"{OLD}-manylinux2014_x86_64+c",
           f"{NEW}-manylinux2014_x86_64+c", f"cp314-cp314t-{LINUX}+c")  # fmt: skip
    assert failures(NoHoles(), tmp_path) == []


def test_minimum_versions_of_macos_stay_apart(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-macosx_11_0_arm64", f"{NEW}-{MAC}")
    assert len(failures(NoHoles(), tmp_path)) == 2


def test_a_generic_wheel_that_lacks_a_variants_cell_is_left_to_its_own_rule(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+a", f"{NEW}-{LINUX}+a")
    assert verdicts(NoHoles(), tmp_path) == {"pass": 3, "skip": 1}
    assert failures(EveryoneGetsSomething(), tmp_path) == [
        f"{NEW}, {LINUX} has a and no generic wheel: a machine that no variant fits gets nothing"
    ]


def test_platforms_without_a_variant_are_told(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert failures(VariantOnAllPlatforms(), tmp_path) == [f"variant 'cu128' has no wheels for {WINDOWS}"]
    assert verdicts(VariantOnAllPlatforms(), tmp_path, MATRIX) == {"skip": 1}
    wheels(tmp_path, f"{OLD}-{WINDOWS}+cu128")
    assert verdicts(VariantOnAllPlatforms(), tmp_path) == {"pass": 1}


def test_a_release_without_variants_needs_no_generic_wheels(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"skip": 1}


def test_an_older_macos_serves_everyone(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-macosx_11_0_universal2", f"{OLD}-{MAC}+a")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"pass": 1}


def test_a_null_wheel_serves_the_machines_of_its_dialect(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}-null", f"{OLD}-{LINUX}-a")
    assert verdicts(EveryoneGetsSomething(), tmp_path) == {"pass": 1}
    wheels(tmp_path, f"{OLD}-{LINUX}+a")
    assert failures(EveryoneGetsSomething(), tmp_path) == [
        f"{OLD}, {LINUX} has a and no generic wheel in dialect plus: a machine that no variant fits gets nothing"
    ]


def test_a_missing_or_skipped_generic_wheel_is_reported_once(tmp_path: Path) -> None:
    wheels(tmp_path, *[part for part in COMPLETE if part != f"{NEW}-{LINUX}"])
    for config in (MATRIX, MATRIX + SKIP.format(LINUX) + 'variant = "generic"\n'):
        assert verdicts(EveryoneGetsSomething(), tmp_path, config) == {"pass": 1, "skip": 1}


def test_skips_that_leave_something_out_pass(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE[:3])
    assert verdicts(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 1}
    assert verdicts(LiveSkips(), tmp_path, MATRIX) == {"skip": 1}


def test_a_skip_that_abi3_covers_by_the_way_is_no_dead_one(tmp_path: Path) -> None:
    wheels(tmp_path, f"cp311-abi3-{WINDOWS}")
    assert verdicts(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS)) == {"pass": 1}


def test_skips_that_match_nothing_or_leave_out_nothing_fail(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert "matches no cell" in failures(LiveSkips(), tmp_path, MATRIX + SKIP.format(MAC))[0]
    assert "leaves out nothing" in failures(LiveSkips(), tmp_path, MATRIX + SKIP.format(WINDOWS))[0]


ZIPPED = (
    MATRIX
    + f"""
[[tool.variant-publish.matrix.zip]]
python = ["{OLD}", "{NEW}"]
variant = ["generic", "cu128"]
"""
)


def test_axes_that_move_together_are_asked_for_together_only(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{WINDOWS}", f"{NEW}-{LINUX}+cu128")
    assert verdicts(DeclaredCells(), tmp_path, ZIPPED) == {"pass": 3}
    wheels(tmp_path, f"{NEW}-{WINDOWS}")
    assert failures(NoExtraWheels(), tmp_path, ZIPPED) == [f"it fills no declared cell ({NEW}, {WINDOWS}, generic)"]


def test_a_skip_of_cells_that_never_meet_is_a_dead_one(tmp_path: Path) -> None:
    wheels(tmp_path, f"{OLD}-{LINUX}")
    skip = f'[[tool.variant-publish.matrix.skip]]\npython = "{NEW}"\nvariant = "generic"\nreason = "never"\n'
    assert "matches no cell" in failures(LiveSkips(), tmp_path, ZIPPED + skip)[0]
