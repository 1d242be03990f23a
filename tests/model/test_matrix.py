from __future__ import annotations

from variant_publish.model.matrix import Cell, Matrix, Skip, fills, found_axes
from variant_publish.model.wheel_name import WheelName

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
    assert fills(name, "cu128", Cell("cp313-cp313", LINUX, "cu128"))
    assert not fills(name, "cu128", Cell("cp313-cp313", LINUX, "generic"))
    assert not fills(name, "cu128", Cell("cp310-cp310", LINUX, "cu128"))


def test_axes_are_found_in_names() -> None:
    names = [WheelName.parse(f"foo-1-cp312-cp312-{platform}.whl") for platform in (WINDOWS, LINUX)]
    assert found_axes(names) == (("cp312-cp312",), (LINUX, WINDOWS))
