from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, WINDOWS
from support.families import family_in, wheels_of
from variant_publish.check.engine.family import Family
from variant_publish.check.engine.grid import State
from variant_publish.model.matrix import Cell

OLD, NEW = "cp311-cp311", "cp312-cp312"
SKIP = '[[tool.variant-publish.family.skip]]\nproject = "foo-cpu"\npython = "cp311-cp311"\nreason = "too old"\n'


def family_of(folder: Path, config: str = "") -> Family:
    """Write a family with a hole, a variant, and a platform of one member alone."""
    wheels_of(folder, f"foo-1.0-{OLD}-{LINUX}", f"foo-1.0-{NEW}-{LINUX}", f"foo-1.0-{NEW}-{WINDOWS}",
              f"foo-1.0-{NEW}-{LINUX}+cu128", f"foo_cpu-1.0-{NEW}-manylinux2014_x86_64", "bar-1.0-py3-none-any")  # fmt: skip
    family = family_in(folder, config)
    assert family is not None
    return family


def state(family: Family, *cell: str) -> State:
    return family.grid.at(Cell(*cell))[0].state


def test_the_grid_has_a_column_for_each_variant_of_each_member(tmp_path: Path) -> None:
    family = family_of(tmp_path)
    assert family.grid.columns == ("bar", "foo", "foo cu128", "foo-cpu")
    assert family.rows == ((OLD, LINUX), (NEW, LINUX), (NEW, WINDOWS))


def test_a_cell_is_missing_where_siblings_have_it_on_a_platform_of_ones_own(tmp_path: Path) -> None:
    family = family_of(tmp_path)
    assert state(family, NEW, LINUX, "foo-cpu") is State.PRESENT
    assert state(family, OLD, LINUX, "foo-cpu") is State.MISSING
    assert state(family, NEW, WINDOWS, "foo-cpu") is State.UNDECLARED
    assert state(family, OLD, LINUX, "bar") is State.PRESENT
    assert state(family, OLD, LINUX, "foo cu128") is State.UNDECLARED


def test_a_declared_skip_is_shown_with_its_reason(tmp_path: Path) -> None:
    (entry,) = family_of(tmp_path, SKIP).grid.at(Cell(OLD, LINUX, "foo-cpu"))
    assert (entry.state, entry.reason) == (State.SKIPPED, "too old")


def test_the_report_has_members_columns_and_cells(tmp_path: Path) -> None:
    report = family_of(tmp_path)
    table = report.table()
    assert report.title == "bar 1.0, foo 1.0, foo-cpu 1.0"
    assert table["members"][1] == {"project": "foo", "version": "1.0"}
    assert table["columns"] == ["bar", "foo", "foo cu128", "foo-cpu"]
    assert {"python": OLD, "platform": LINUX, "variant": "foo-cpu", "state": "missing", "files": []} in table["grid"]


def test_members_are_those_that_the_configuration_names(tmp_path: Path) -> None:
    named = family_of(tmp_path, '[tool.variant-publish.family]\nmembers = ["Foo", "foo_cpu", "baz"]\n')
    assert [member.project for member in named.members] == ["foo", "foo-cpu"]
    assert named.absent == ("baz",)
    assert named.table()["absent"] == ["baz"]
