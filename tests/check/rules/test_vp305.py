from __future__ import annotations

from pathlib import Path

from support.checks import WINDOWS, failures, verdicts
from support.matrices import COMPLETE, MATRIX, OLD, wheels
from variant_publish.check.rules.holes import VariantOnAllPlatforms


def test_platforms_without_a_variant_are_told(tmp_path: Path) -> None:
    wheels(tmp_path, *COMPLETE)
    assert failures(VariantOnAllPlatforms(), tmp_path) == [f"variant 'cu128' has no wheels for {WINDOWS}"]
    assert verdicts(VariantOnAllPlatforms(), tmp_path, MATRIX) == {"skip": 1}
    wheels(tmp_path, f"{OLD}-{WINDOWS}+cu128")
    assert verdicts(VariantOnAllPlatforms(), tmp_path) == {"pass": 1}
