from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, PLAIN, failures, verdicts
from support.labels import LOWER, label
from support.wheels import make_wheel
from variant_publish.check.rules.machines import NoTies


def test_a_release_without_variants_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(NoTies(), tmp_path) == {"skip": 1}


def test_variants_of_which_one_is_always_better_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "cu126", f"{LOWER}12.6")
    label(tmp_path, "cu130", f"{LOWER}13.0")
    label(tmp_path, "v3", "x86_64 :: level :: v3")
    assert verdicts(NoTies(), tmp_path) == {"pass": 1}


def test_two_variants_for_the_same_machines_tie(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "wide", f"{LOWER}12.0")
    label(tmp_path, "wrong", f"{LOWER}12.0", "x86_64 :: level :: v9")
    label(tmp_path, "also", f"{LOWER}12.0")
    assert failures(NoTies(), tmp_path) == [
        f"'also' and 'wide' are equally good for a machine of {LINUX} with x86_64_version=x86-64, cuda=12.0: the label decides"
    ]
