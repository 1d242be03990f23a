from __future__ import annotations

from pathlib import Path

from support.alike import ONE, TWO, held_against_most
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    SameExtras,
)


def test_extras_are_held_against_most_wheels(tmp_path: Path) -> None:
    usual = {"headers": ["Provides-Extra: test", "Provides-Extra: a_b"]}
    held_against_most(tmp_path, SameExtras(), usual, {"headers": []})


def test_extras_in_another_order_and_spelling_or_twice_are_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, headers=["Provides-Extra: a-b", "Provides-Extra: c"])
    make_wheel(tmp_path, TWO, headers=["Provides-Extra: c", "Provides-Extra: A_B", "Provides-Extra: c"])
    assert verdicts(SameExtras(), tmp_path) == {"pass": 2}
