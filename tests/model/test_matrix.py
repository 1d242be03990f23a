from __future__ import annotations

import pytest

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.model.matrix import Cell, Matrix, Skip, fills, found_matrix, own_platforms, serves

LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"


def test_a_matrix_has_a_generic_column_and_one_for_each_variant() -> None:
    matrix = Matrix(("cp311-cp311",), (LINUX, WINDOWS), (("cu128", (LINUX,)),))
    assert matrix.cells() == (
        Cell("cp311-cp311", LINUX, "generic"),
        Cell("cp311-cp311", WINDOWS, "generic"),
        Cell("cp311-cp311", LINUX, "cu128"),
    )


def test_a_skip_leaves_out_what_all_its_fields_match() -> None:
    skip = Skip("no toolchain", python="cp314-cp314t", platform=WINDOWS)
    matrix = Matrix(("cp314-cp314", "cp314-cp314t"), (LINUX, WINDOWS), skips=(skip,))
    assert Cell("cp314-cp314t", WINDOWS, "generic") not in matrix.cells()
    assert len(matrix.cells()) == 3
    assert matrix.skip_of(Cell("cp314-cp314t", WINDOWS, "generic")) is skip


def test_an_abi3_wheel_fills_the_cells_of_later_pythons_in_its_variant_only() -> None:
    name = WheelName.parse(f"foo-1-cp311-abi3-{LINUX}+cu128.whl")
    assert fills(name.plain, "cu128", Cell("cp313-cp313", LINUX, "cu128"))
    assert not fills(name.plain, "cu128", Cell("cp313-cp313", LINUX, "generic"))
    assert not fills(name.plain, "cu128", Cell("cp310-cp310", LINUX, "cu128"))


def found(*names: str) -> Matrix:
    """Give the matrix of the names "foo-1-" + each; the variant is what the name says."""
    parsed = [WheelName.parse(f"foo-1-{name}.whl") for name in names]
    return found_matrix((name.plain, name.variant) for name in parsed)


def test_axes_are_found_in_names_and_sorted_as_people_do() -> None:
    matrix = found(f"cp310-cp310-{WINDOWS}", f"cp39-cp39-{LINUX}", f"cp39-cp39-{LINUX}+a")
    assert matrix == Matrix(("cp39-cp39", "cp310-cp310"), (LINUX, WINDOWS), (("a", (LINUX,)),))


def test_wide_wheels_add_no_rows_where_a_column_has_narrower_ones() -> None:
    matrix = found("py2.py3-none-any", f"cp312-cp312-{LINUX}+a", "cp312-cp312-manylinux2014_x86_64+b")
    assert matrix == Matrix(("cp312-cp312",), (LINUX,), (("a", (LINUX,)), ("b", (LINUX,))))


def test_an_interpreter_without_an_abi_is_the_row_of_its_own_one() -> None:
    matrix = found("cp312-none-macosx_11_0_arm64", f"cp312-cp312-{LINUX}", f"cp313-none-{LINUX}")
    assert matrix.python == ("cp312-cp312", "cp313-none")


def test_abi3_is_a_row_where_every_column_has_it() -> None:
    matrix = found(f"cp39-abi3-{LINUX}", f"cp38-cp38-{LINUX}", f"cp39-abi3-{LINUX}+a", f"cp312-cp312-{LINUX}+a")
    assert matrix.python == ("cp38-cp38", "cp39-abi3", "cp312-cp312")


def test_minimum_versions_of_macos_are_rows_of_their_own() -> None:
    assert found("cp312-cp312-macosx_14_0_arm64", "cp312-cp312-macosx_11_0_arm64").platform == (
        "macosx_11_0_arm64", "macosx_14_0_arm64"
    )  # fmt: skip


def test_a_pure_release_has_one_cell() -> None:
    assert found("py2.py3-none-any") == Matrix(("py3-none",), ("any",))


def test_own_platforms_leaves_out_what_another_member_covers() -> None:
    name = WheelName.parse("foo-1-cp312-cp312-manylinux_2_28_x86_64.manylinux2014_x86_64.macosx_11_0_arm64.whl")
    assert own_platforms(name.plain) == ("manylinux_2_17_x86_64", "macosx_11_0_arm64")


def test_one_tag_of_a_compressed_set_is_enough() -> None:
    assert fills(WheelName.parse("foo-1-py2.py3-none-any.whl").plain, "generic", Cell("cp312-cp312", LINUX, "generic"))
    both = f"cp312-cp312-{LINUX}.{WINDOWS}"
    assert fills(WheelName.parse(f"foo-1-{both}.whl").plain, "generic", Cell("cp312-cp312", WINDOWS, "generic"))
    assert found(both, f"cp312-cp312-{LINUX}+a.{WINDOWS}+a").variants == (("a", (LINUX, WINDOWS)),)


def test_a_variant_has_the_platforms_of_all_its_wheels() -> None:
    names = [f"cp312-cp312-{platform}{end}" for platform in (LINUX, WINDOWS) for end in ("", "+a")]
    assert found(*names).variants == (("a", (LINUX, WINDOWS)),)


@pytest.mark.parametrize(
    ("tag", "python", "platform", "does"),
    [
        ("cp312-cp312", "cp39-abi3", LINUX, True),
        ("cp38-cp38", "cp39-abi3", LINUX, False),
        ("cp312-cp312", "py3-none", "any", True),
        ("cp312-cp312", "cp311-cp311", LINUX, False),
        ("cp311-abi3", "cp312-cp312", LINUX, True),
        ("cp312-cp312", "cp312-cp312", WINDOWS, False),
    ],
)
def test_what_serves_a_cell(tag: str, python: str, platform: str, does: bool) -> None:
    assert serves(WheelName.parse(f"foo-1-{tag}-{LINUX}.whl").plain, Cell(python, platform, "")) is does
