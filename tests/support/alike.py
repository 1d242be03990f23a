"""The rules that compare all wheels of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.checks import LINUX, failures, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.check.engine.rule import ReleaseRule

ONE, TWO, THREE = (f"foo-1.0-{python}-{python}-{LINUX}.whl" for python in ("cp311", "cp312", "cp313"))


PLUS = TWO.replace(".whl", "+cu128.whl")


def held_against_most(folder: Path, rule: ReleaseRule[Any], usual: dict[str, Any], odd: dict[str, Any]) -> None:
    """Assert that one wheel has nothing to differ from, that two alike pass, and that a third which differs fails."""
    make_wheel(folder, ONE, **usual)
    assert verdicts(rule, folder) == {"skip": 1}
    make_wheel(folder, THREE, **usual)
    assert verdicts(rule, folder) == {"pass": 2}
    make_wheel(folder, PLUS, **odd)
    assert verdicts(rule, folder) == {"pass": 2, "fail": 1}
    assert [outcome.file for outcome in outcomes(rule, folder) if outcome.message] == [PLUS]
    assert "in 2 other wheels of the release it is" in failures(rule, folder)[0]
