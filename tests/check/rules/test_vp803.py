from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, MAC, WINDOWS
from support.families import failures, outcomes, verdicts, wheels_of
from variant_publish.check.rules.siblings import SamePlatforms

SKIP = '[[tool.variant-publish.family.skip]]\nproject = "foo-cpu"\nplatform = "{}"\nreason = "it is that already"\n'


def test_the_same_platforms_pass(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}", f"foo_cpu-1.0-cp311-cp311-{LINUX}")
    assert verdicts(SamePlatforms(), tmp_path) == {"pass": 2}


def test_an_older_tag_serves_the_newer_one(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}", f"foo-1.0-cp312-cp312-{MAC}",
              "foo_cpu-1.0-cp312-cp312-manylinux2014_x86_64", "foo_cpu-1.0-cp312-cp312-macosx_14_0_universal2")  # fmt: skip
    assert verdicts(SamePlatforms(), tmp_path) == {"pass": 2}


def test_platforms_that_a_member_lacks_are_told_once(tmp_path: Path) -> None:
    wheels_of(tmp_path, *(f"foo-1.0-cp31{minor}-cp31{minor}-{place}" for minor in (1, 2) for place in (LINUX, WINDOWS)))
    wheels_of(tmp_path, f"foo_cpu-1.0-cp312-cp312-{LINUX}")
    (found,) = [found for found in outcomes(SamePlatforms(), tmp_path) if found.verdict == "fail"]
    assert found.message == f"foo-cpu has no wheels for {WINDOWS}: foo has"
    assert found.cell is not None
    assert (found.cell.platform, found.cell.variant) == (WINDOWS, "foo-cpu")


def test_a_newer_minimum_of_macos_leaves_users_out(tmp_path: Path) -> None:
    wheels_of(tmp_path, "foo-1.0-cp312-cp312-macosx_11_0_arm64", f"foo_cpu-1.0-cp312-cp312-{MAC}")
    assert failures(SamePlatforms(), tmp_path) == ["foo-cpu has no wheels for macosx_11_0_arm64: foo has"]


def test_a_skip_with_a_reason_is_counted(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}", f"foo-1.0-cp312-cp312-{WINDOWS}",
              f"foo_cpu-1.0-cp312-cp312-{LINUX}")  # fmt: skip
    assert verdicts(SamePlatforms(), tmp_path, SKIP.format(WINDOWS)) == {"pass": 2, "skip": 1}


def test_a_wheel_for_any_platform_asks_nothing_of_its_siblings(tmp_path: Path) -> None:
    wheels_of(tmp_path, "foo-1.0-py3-none-any", f"foo_lib-1.0-cp312-cp312-{LINUX}", f"foo_ext-1.0-cp312-cp312-{LINUX}")
    assert verdicts(SamePlatforms(), tmp_path) == {"pass": 3}


def test_a_variant_that_no_other_member_has_is_left_to_its_own_rule(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}", f"foo-1.0-cp312-cp312-{LINUX}+cu128",
              f"foo_cpu-1.0-cp312-cp312-{LINUX}")  # fmt: skip
    assert verdicts(SamePlatforms(), tmp_path) == {"pass": 2, "skip": 1}
