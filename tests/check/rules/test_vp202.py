from __future__ import annotations

from pathlib import Path

from support.alike import ONE, TWO, held_against_most
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    SameRequiresPython,
)


def test_requires_python_is_held_against_most_wheels(tmp_path: Path) -> None:
    usual, odd = {"headers": ["Requires-Python: >=3.10,<4"]}, {"headers": ["Requires-Python: >=3.11"]}
    held_against_most(tmp_path, SameRequiresPython(), usual, odd)


def test_specifiers_in_another_order_are_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, headers=["Requires-Python: >=3.10,<4"])
    make_wheel(tmp_path, TWO, headers=["Requires-Python: <4, >=3.10"])
    assert verdicts(SameRequiresPython(), tmp_path) == {"pass": 2}
