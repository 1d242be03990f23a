from __future__ import annotations

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.matrix import Cell, Matrix, ZipGroup

OLD, NEW, WINDOWS = "manylinux_2_28_x86_64", "manylinux_2_34_x86_64", "win_amd64"
CUDA = ZipGroup.of_columns({"variant": ["cu12", "cu13"], "platform": [OLD, NEW], "gcc": ["12", "14"]})


def matrix(*groups: ZipGroup) -> Matrix:
    everywhere = (OLD, NEW, WINDOWS)
    return Matrix(("cp312-cp312",), everywhere, (("cu12", everywhere), ("cu13", everywhere)), groups=groups)


def places(matrix: Matrix) -> set[tuple[str, str]]:
    return {(cell.variant, cell.platform) for cell in matrix.cells()}


def test_values_of_two_rows_never_meet() -> None:
    assert {found for found in places(matrix(CUDA)) if WINDOWS not in found and "generic" not in found} == {
        ("cu12", OLD),
        ("cu13", NEW),
    }


def test_values_that_no_row_names_combine_as_before() -> None:
    found = places(matrix(CUDA))
    assert {("cu12", WINDOWS), ("cu13", WINDOWS), ("generic", OLD), ("generic", NEW)} <= found
    assert len(places(matrix())) - len(found) == 2


def test_cells_whose_axes_do_not_move_together_are_told_apart() -> None:
    assert matrix(CUDA).apart() == {Cell("cp312-cp312", NEW, "cu12"), Cell("cp312-cp312", OLD, "cu13")}


def test_further_axes_are_known_by_cell() -> None:
    assert matrix(CUDA).settings_of(Cell("cp312-cp312", NEW, "cu13")) == {"gcc": "14"}
    assert matrix(CUDA).settings_of(Cell("cp312-cp312", WINDOWS, "cu13")) == {"gcc": ""}


def test_groups_multiply_with_each_other() -> None:
    image = ZipGroup.of_columns({"python": ["cp312-cp312"], "image": ["a"]})
    both = matrix(CUDA, image)
    assert places(both) == places(matrix(CUDA))
    assert both.settings_of(Cell("cp312-cp312", OLD, "cu12")) == {"gcc": "12", "image": "a"}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"variant": ["a", "b"], "platform": [OLD]}, r"not of one length \(variant 2, platform 1\)"),
        ({"variant": [], "platform": []}, "not of one length"),
        ({}, "one axis"),
        ({"variant": ["a"]}, "one axis"),
        ({"gcc": ["12"], "image": ["a"]}, r"none of its axes \(gcc, image\) is one of a wheel"),
        ({"variant": ["a", "a"], "gcc": ["12", "14"]}, "a occurs twice"),
        ({"variant": ["a"], "the gcc": ["12"]}, "axis 'the gcc' has characters"),
    ],
)
def test_a_group_that_says_nothing_is_refused(columns: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        ZipGroup.of_columns(columns)


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([{"variant": ["cu14"], "gcc": ["15"]}], r"zip\[0\].variant names 'cu14', which the matrix does not have"),
        ([{"variant": ["cu12"], "gcc": ["15"]}, {"python": ["cp312-cp312"], "gcc": ["15"]}],
         r"zip\[1\] has the axis 'gcc', which zip\[0\] has already"),
    ],
)  # fmt: skip
def test_a_group_that_the_matrix_cannot_follow_is_refused(groups: list[dict[str, list[str]]], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        matrix(*map(ZipGroup.of_columns, groups))


def test_a_row_without_a_cell_is_refused() -> None:
    with pytest.raises(UsageError, match=r"zip\[0\] row 2 \(cu13, manylinux_2_34_x86_64, 14\) matches no cell"):
        Matrix(("cp312-cp312",), (OLD, NEW), (("cu12", (OLD,)), ("cu13", (OLD,))), groups=(CUDA,))
