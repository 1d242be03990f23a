from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, WINDOWS
from support.families import failures, outcomes, verdicts, wheels_of
from variant_publish.check.rules.siblings import NoHolesAcross

OLD, NEW = "cp311-cp311", "cp312-cp312"
FOO = [f"foo-1.0-{python}-{LINUX}" for python in (OLD, NEW)]
SKIP = '[[tool.variant-publish.family.skip]]\nproject = "Foo_CPU"\npython = "cp312-cp312"\nreason = "not yet"\n'


def test_the_same_pythons_pass(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo_cpu-1.0-{OLD}-{LINUX}", f"foo_cpu-1.0-{NEW}-{LINUX}")
    assert verdicts(NoHolesAcross(), tmp_path) == {"pass": 4}


def test_abi3_serves_all_pythons_of_its_siblings(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo_cpu-1.0-cp39-abi3-{LINUX}", f"foo_py-1.0-py3-none-{LINUX}")
    assert failures(NoHolesAcross(), tmp_path) == []


def test_a_hole_is_named_with_the_siblings_that_fill_it(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo_cpu-1.0-{OLD}-{LINUX}", f"foo_gpu-1.0-{OLD}-{LINUX}", f"foo_gpu-1.0-{NEW}-{LINUX}")
    (found,) = [found for found in outcomes(NoHolesAcross(), tmp_path) if found.verdict == "fail"]
    assert found.message == f"foo-cpu has no wheel for {NEW} on {LINUX}: foo, foo-gpu have"
    assert found.cell is not None
    assert (found.cell.python, found.cell.variant) == (NEW, "foo-cpu")


def test_a_platform_that_is_missing_altogether_is_no_hole(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo-1.0-{NEW}-{WINDOWS}", f"foo_cpu-1.0-{OLD}-{LINUX}", f"foo_cpu-1.0-{NEW}-{LINUX}")
    assert failures(NoHolesAcross(), tmp_path) == []


def test_holes_are_looked_for_in_each_variant(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo_cpu-1.0-{OLD}-{LINUX}", f"foo_cpu-1.0-{NEW}-{LINUX}", f"foo-1.0-{NEW}-{LINUX}+cu",
              f"foo-1.0-{OLD}-{LINUX}+cu", f"foo_cpu-1.0-{NEW}-{LINUX}+cu")  # fmt: skip
    assert failures(NoHolesAcross(), tmp_path) == [f"foo-cpu cu has no wheel for {OLD} on {LINUX}: foo cu has"]


def test_a_skip_with_a_reason_is_counted(tmp_path: Path) -> None:
    wheels_of(tmp_path, *FOO, f"foo_cpu-1.0-{OLD}-{LINUX}")
    assert verdicts(NoHolesAcross(), tmp_path, SKIP) == {"pass": 3, "skip": 1}
