from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, WINDOWS, failures, verdicts
from support.matrices import COMPLETE, MATRIX, OLD, wheels
from variant_publish.check.rules.holes import VariantOnAllPlatforms


def test_platforms_without_a_variant_are_told(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert failures(VariantOnAllPlatforms(), tmp_path) == [f"variant 'cu128' has no wheels for {WINDOWS}"]
    assert verdicts(VariantOnAllPlatforms(), tmp_path, MATRIX) == {"skip": 1}
    wheels(tmp_path, f"{OLD}-{WINDOWS}+cu128")
    assert verdicts(VariantOnAllPlatforms(), tmp_path) == {"pass": 1}


def test_a_variant_may_be_on_one_platform_in_one_dialect_and_on_another_in_the_other(tmp_path: Path) -> None:
    wheels(tmp_path, *(f"{OLD}-{platform}" for platform in (LINUX, WINDOWS)), f"{OLD}-{LINUX}+a", f"{OLD}-{WINDOWS}-a")
    assert verdicts(VariantOnAllPlatforms(), tmp_path) == {"pass": 1}
