from __future__ import annotations

from pathlib import Path

from support.alike import ONE, TWO, held_against_most
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    SameEntryPoints,
)


def test_entry_points_are_held_against_most_wheels(tmp_path: Path) -> None:
    usual = {"extra_info": {"entry_points.txt": b"[console_scripts]\nfoo = foo:main\n"}}
    odd = {"extra_info": {"entry_points.txt": b"[console_scripts]\nFoo = foo:main\n"}}
    held_against_most(tmp_path, SameEntryPoints(), usual, odd)


def test_entry_points_in_another_order_are_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, extra_info={"entry_points.txt": b"[a]\nx = y\n[b]\nz=w\n"})
    make_wheel(tmp_path, TWO, extra_info={"entry_points.txt": b"[b]\nz = w\n\n[a]\nx=y\n"})
    assert verdicts(SameEntryPoints(), tmp_path) == {"pass": 2}
