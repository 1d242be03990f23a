from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import force_setattr

from support.checks import release_in
from support.previous import SECOND, after
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.rules.regression import NoGrowth
from variant_publish.formats.simple import IndexFile


def test_a_first_release_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, SECOND)
    assert [outcome.verdict for outcome in after(NoGrowth(), tmp_path)] == ["skip"]


@pytest.mark.parametrize(("before", "verdict"), [(4_000_000, "fail"), (9_000_000, "pass")])
def test_growth_is_told(tmp_path: Path, before: int, verdict: str) -> None:
    path = make_wheel(tmp_path, SECOND)
    release = release_in(tmp_path)
    force_setattr(release.wheels[0], "size", 10_000_000)
    previous = (IndexFile(path.name.replace("2.0", "1.0"), "", "", size=before),)
    (outcome,) = NoGrowth().check(Context(release, previous=previous))
    assert outcome.verdict == verdict
