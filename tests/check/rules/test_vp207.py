from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    NoLocalVersion,
)


def test_local_versions_fail_in_generic_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path / "a", ONE)
    make_wheel(tmp_path / "a", PLUS)
    assert verdicts(NoLocalVersion(), tmp_path / "a") == {"pass": 1, "skip": 1}
    make_wheel(tmp_path / "b", ONE.replace("1.0", "1.0+cu128"))
    assert verdicts(NoLocalVersion(), tmp_path / "b") == {"fail": 1}


def test_local_versions_are_right_where_they_are_a_dialect(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE)
    make_wheel(tmp_path, ONE.replace("1.0", "1.0+cu128"))
    declared = "[tool.variant-publish.variants.cu128]\n"
    assert verdicts(NoLocalVersion(), tmp_path, declared) == {"fail": 1, "pass": 1}
    for wanted in ('dialects = ["local"]', 'upload.views = "file:views"'):
        config = f"[tool.variant-publish]\n{wanted}\n{declared}"
        assert verdicts(NoLocalVersion(), tmp_path, config) == {"skip": 1, "pass": 1}
