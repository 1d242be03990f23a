from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.rules.metadata import (
    NoLocalVersion,
)


def test_local_versions_fail_in_generic_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path / "a", ONE)
    make_wheel(tmp_path / "a", PLUS)
    assert verdicts(NoLocalVersion(), tmp_path / "a") == {"pass": 1, "skip": 1}
    make_wheel(tmp_path / "b", ONE.replace("1.0", "1.0+cu128"))
    assert verdicts(NoLocalVersion(), tmp_path / "b") == {"fail": 1}
