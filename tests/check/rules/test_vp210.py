from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS, TWO
from support.checks import LINUX, WINDOWS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    SameRequirementsInVariant,
)


def test_wheels_of_one_variant_require_the_same(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["baz"])
    make_wheel(tmp_path, TWO, requires=["baz"])
    make_wheel(tmp_path, PLUS, requires=["qux"])
    assert verdicts(SameRequirementsInVariant(), tmp_path) == {"pass": 3}
    for name in (ONE, TWO):
        make_wheel(tmp_path, name.replace(LINUX, WINDOWS), requires=["baz", "tzdata"])
    assert failures(SameRequirementsInVariant(), tmp_path) == [
        "it requires something else than most wheels of variant 'generic' (in 2 wheels): + tzdata"
    ]
