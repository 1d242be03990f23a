from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, MAC, WINDOWS, release_in
from support.wheels import make_wheel
from variant_publish.check.engine.grid import Grid, State
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.model.matrix import Cell

OLD, NEW = "cp311-cp311", "cp312-cp312"
MATRIX = f"""
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["{OLD}", "{NEW}"]
platform = ["{WINDOWS}", "{LINUX}"]
skip = [{{ python = "{NEW}", platform = "{WINDOWS}", reason = "no toolchain" }}]

[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
"""


def grid_of(folder: Path, *parts: str, config: str = "") -> Grid:
    for part in parts:
        make_wheel(folder, f"foo-1.0-{part}.whl")
    return Grid.of_release(release_in(folder, config))


def states(grid: Grid, *cell: str) -> list[State]:
    return [entry.state for entry in grid.at(Cell(*cell))]


def test_a_declared_grid_keeps_the_declared_order_and_adds_what_is_extra(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+cu128", f"{OLD}-{WINDOWS}+cu128", f"{NEW}-{MAC}",
                   f"{NEW}-{LINUX}+mkl", config=MATRIX)  # fmt: skip
    assert grid.rows == ((OLD, WINDOWS), (OLD, LINUX), (NEW, WINDOWS), (NEW, LINUX), (NEW, MAC))
    assert grid.columns == ("generic", "cu128", "mkl")
    assert grid.declared
    assert states(grid, OLD, LINUX, "generic") == [State.PRESENT]
    assert states(grid, OLD, WINDOWS, "generic") == [State.MISSING]
    assert states(grid, NEW, WINDOWS, "generic") == [State.SKIPPED]
    assert states(grid, NEW, MAC, "generic") == [State.EXTRA]
    assert states(grid, OLD, WINDOWS, "cu128") == [State.EXTRA]
    assert states(grid, NEW, WINDOWS, "cu128") == [State.UNDECLARED]
    assert states(grid, NEW, LINUX, "mkl") == [State.EXTRA]
    assert grid.extra == (
        f"foo-1.0-{OLD}-{WINDOWS}+cu128.whl", f"foo-1.0-{NEW}-{MAC}.whl", f"foo-1.0-{NEW}-{LINUX}+mkl.whl"
    )  # fmt: skip


def test_entries_name_wheels_and_reasons(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, f"{OLD}-{LINUX}", config=MATRIX)
    assert grid.at(Cell(OLD, LINUX, "generic"))[0].files == (f"foo-1.0-{OLD}-{LINUX}.whl",)
    assert grid.at(Cell(NEW, WINDOWS, "generic"))[0].table() == {
        "python": NEW, "platform": WINDOWS, "variant": "generic", "dialect": "plus", "state": "skipped", "files": [],
        "reason": "no toolchain",
    }  # fmt: skip


def test_each_dialect_has_its_entry(tmp_path: Path) -> None:
    config = MATRIX.replace('["plus"]', '["plus", "pep825"]')
    grid = grid_of(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}-cu128", config=config)
    assert grid.dialects == (PLUS, PEP825)
    assert states(grid, OLD, LINUX, "generic") == [State.PRESENT, State.PRESENT]
    assert states(grid, OLD, LINUX, "cu128") == [State.MISSING, State.PRESENT]


def test_a_found_grid_has_natural_order_and_holes(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, f"cp310-cp310-{LINUX}", f"cp39-cp39-{LINUX}", f"cp310-cp310-{WINDOWS}",
                   f"cp310-cp310-{LINUX}+a")  # fmt: skip
    assert grid.rows == (
        ("cp39-cp39", LINUX), ("cp39-cp39", WINDOWS), ("cp310-cp310", LINUX), ("cp310-cp310", WINDOWS)
    )  # fmt: skip
    assert not grid.declared
    assert states(grid, "cp39-cp39", WINDOWS, "generic") == [State.MISSING]
    assert states(grid, "cp39-cp39", LINUX, "a") == [State.MISSING]
    assert states(grid, "cp310-cp310", WINDOWS, "a") == [State.UNDECLARED]
    assert grid.extra == ()


def test_a_variant_that_is_found_in_one_dialect_has_no_holes_in_the_other(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}-a", f"{OLD}-{LINUX}+b")
    assert states(grid, OLD, LINUX, "a") == [State.UNDECLARED, State.PRESENT]
    assert states(grid, OLD, LINUX, "b") == [State.PRESENT, State.UNDECLARED]


def test_a_plain_wheel_is_in_no_hurry_for_variants(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, "py3-none-any")
    assert grid.rows == (("py3-none", "any"),)
    assert states(grid, "py3-none", "any", "generic") == [State.PRESENT]


ZIPPED = f"""
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["{OLD}", "{NEW}"]
platform = ["manylinux_2_28_x86_64", "manylinux_2_34_x86_64"]
zip = [
    {{ variant = ["generic", "cu12", "cu13"], gcc = ["12", "12", "14"],
      platform = ["manylinux_2_28_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64"] }},
    {{ python = ["{OLD}", "{NEW}"], image = ["a", "b"] }},
]
[tool.variant-publish.variants.cu12]
[tool.variant-publish.variants.cu13]
""".replace(",\n      platform", ", platform")


def test_axes_that_move_together_leave_the_other_cells_out(tmp_path: Path) -> None:
    new = "manylinux_2_34_x86_64"
    grid = grid_of(tmp_path, f"{OLD}-{LINUX}", f"{OLD}-{LINUX}+cu12", f"{OLD}-{new}+cu13", config=ZIPPED)
    assert states(grid, OLD, LINUX, "cu12") == [State.PRESENT]
    assert states(grid, OLD, new, "cu13") == [State.PRESENT]
    assert states(grid, OLD, LINUX, "cu13") == [State.UNDECLARED]
    assert grid.at(Cell(OLD, LINUX, "cu13"))[0].reason == "its axes move together with others"
    missing = {entry.cell for entry in grid.entries if entry.state is State.MISSING}
    assert missing == {Cell(NEW, LINUX, "generic"), Cell(NEW, LINUX, "cu12"), Cell(NEW, new, "cu13")}


def test_a_row_in_which_nothing_meets_is_not_shown(tmp_path: Path) -> None:
    config = ZIPPED.partition("zip = ")[0] + (
        f'zip = [{{ python = ["{OLD}", "{NEW}"], platform = ["{LINUX}", "manylinux_2_34_x86_64"] }}]\n'
    )
    assert grid_of(tmp_path, f"{OLD}-{LINUX}", config=config).rows == ((OLD, LINUX), (NEW, "manylinux_2_34_x86_64"))
