from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC
from support.previous import SECOND, after
from support.wheels import make_wheel
from variant_publish.check.rules.regression import NothingGone


def test_a_first_release_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, SECOND)
    assert [outcome.verdict for outcome in after(NothingGone(), tmp_path)] == ["skip"]


@pytest.mark.parametrize(
    ("wheel", "previous"),
    [
        (SECOND, f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (SECOND.replace("2_28", "2_17"), f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (f"foo-2.0-cp39-abi3-{LINUX}.whl", f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (f"foo-2.0-cp312-cp312-{MAC}.whl", "foo-1.0-cp312-cp312-macosx_11_0_arm64.whl"),
        (SECOND, f"foo-1.0-cp312-none-{LINUX}.whl"),
        (SECOND, "foo-1.0-cp39-none-win32.whl"),
        (SECOND.replace("2_28", "2_17"), "foo-1.0-cp312-cp312-manylinux2010_x86_64.whl"),
        (SECOND, "foo-1.0-cp310-cp310-win_arm64.whl"),  # CPython 3.11 was the first one there
    ],
)
def test_cells_that_are_still_served_pass(tmp_path: Path, wheel: str, previous: str) -> None:
    make_wheel(tmp_path, wheel)
    assert [outcome.verdict for outcome in after(NothingGone(), tmp_path, previous, "no-wheel.whl")] == ["pass"]


def test_cells_that_are_gone_fail_once_for_a_platform(tmp_path: Path) -> None:
    make_wheel(tmp_path, SECOND)
    gone = [f"foo-1.0-cp31{minor}-cp31{minor}-win_amd64.whl" for minor in (1, 2)]
    (outcome,) = after(NothingGone(), tmp_path, *gone)
    assert outcome.verdict == "fail"
    assert outcome.message == "no wheel for cp311-cp311, cp312-cp312 on win_amd64, generic: the previous release had"


def test_a_python_that_the_project_dropped_is_no_loss(tmp_path: Path) -> None:
    make_wheel(tmp_path, SECOND, headers=["Requires-Python: >=3.12"])
    (outcome,) = after(NothingGone(), tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl")
    assert outcome.verdict == "pass"


def test_a_python_that_is_gone_everywhere_is_told_once(tmp_path: Path) -> None:
    make_wheel(tmp_path, SECOND)
    gone = [f"foo-1.0-cp313-cp313t-{platform}.whl" for platform in (LINUX, MAC, "win_amd64")]
    (*_, outcome) = after(NothingGone(), tmp_path, f"foo-1.0-cp312-cp312-{LINUX}.whl", *gone)
    assert outcome.message == "no wheel for cp313-cp313t on any platform, generic: the previous release had"


def test_another_abi_of_pypy_is_no_loss_and_a_line_without_releases_neither(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-2.0-pp311-pypy311_pp80-{LINUX}.whl")
    before = [f"foo-1.0-pp311-pypy311_pp73-{LINUX}.whl", f"foo-1.0-pp310-pypy310_pp73-{LINUX}.whl"]
    assert [outcome.verdict for outcome in after(NothingGone(), tmp_path, *before)] == ["pass", "pass"]
