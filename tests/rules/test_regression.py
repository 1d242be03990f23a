from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC, release_in
from support.wheels import make_wheel
from variant_publish.formats.simple import IndexFile
from variant_publish.rules.context import Context
from variant_publish.rules.regression import NoGrowth, NothingGone
from variant_publish.rules.rule import Outcome

PLAIN = f"foo-2.0-cp312-cp312-{LINUX}.whl"


def after(rule: NothingGone | NoGrowth, folder: Path, *previous: str, size: int | None = None) -> list[Outcome]:
    files = tuple(IndexFile(name, name, "", size=size) for name in previous)
    return list(rule.check(Context(release_in(folder), previous=files)))


@pytest.mark.parametrize("rule", [NothingGone(), NoGrowth()], ids=lambda rule: rule.id)
def test_a_first_release_is_skipped(tmp_path: Path, rule: NothingGone) -> None:
    make_wheel(tmp_path, PLAIN)
    assert [outcome.verdict for outcome in after(rule, tmp_path)] == ["skip"]


@pytest.mark.parametrize(
    ("wheel", "previous"),
    [
        (PLAIN, f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (PLAIN.replace("2_28", "2_17"), f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (f"foo-2.0-cp39-abi3-{LINUX}.whl", f"foo-1.0-cp312-cp312-{LINUX}.whl"),
        (f"foo-2.0-cp312-cp312-{MAC}.whl", "foo-1.0-cp312-cp312-macosx_11_0_arm64.whl"),
    ],
)
def test_cells_that_are_still_served_pass(tmp_path: Path, wheel: str, previous: str) -> None:
    make_wheel(tmp_path, wheel)
    assert [outcome.verdict for outcome in after(NothingGone(), tmp_path, previous, "no wheel")] == ["pass"]


def test_cells_that_are_gone_fail_once_for_a_platform(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    gone = [f"foo-1.0-cp31{minor}-cp31{minor}-win_amd64.whl" for minor in (1, 2)]
    (outcome,) = after(NothingGone(), tmp_path, *gone)
    assert outcome.message == "no wheel for cp311-cp311, cp312-cp312 on win_amd64, generic: the previous release had"


def test_a_python_that_the_project_dropped_is_no_loss(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, headers=["Requires-Python: >=3.12"])
    (outcome,) = after(NothingGone(), tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl")
    assert outcome.verdict == "pass"


@pytest.mark.parametrize(("before", "verdict"), [(4_000_000, "fail"), (9_000_000, "pass")])
def test_growth_is_told(tmp_path: Path, before: int, verdict: str) -> None:
    path = make_wheel(tmp_path, PLAIN)
    release = release_in(tmp_path)
    object.__setattr__(release.wheels[0], "size", 10_000_000)
    previous = (IndexFile(path.name.replace("2.0", "1.0"), "", "", size=before),)
    (outcome,) = NoGrowth().check(Context(release, previous=previous))
    assert outcome.verdict == verdict
