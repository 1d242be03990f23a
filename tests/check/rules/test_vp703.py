from __future__ import annotations

from pathlib import Path

from support.checks import LABELLED, PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.destination import MetadataTaken


def test_valid_metadata_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["bar>=1"], headers=["Requires-Python: >=3.9", "License-File: LICENSE"])
    assert verdicts(MetadataTaken(), tmp_path) == {"pass": 1}


def test_invalid_metadata_fails_for_each_reason(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, headers=["Requires-Python: nonsense", "Dynamic: name"])
    found = failures(MetadataTaken(), tmp_path)
    assert len(found) == 2
    assert "nonsense" in str(found)


def test_variants_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, LABELLED, headers=["Requires-Python: nonsense"])
    assert verdicts(MetadataTaken(), tmp_path) == {"skip": 1}
