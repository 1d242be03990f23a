from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    NoDirectUrl,
)


def test_direct_urls_fail_in_generic_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["bar>=1", "not a requirement"])
    make_wheel(tmp_path, PLUS, requires=["bar @ https://example.org/bar.whl"])
    assert verdicts(NoDirectUrl(), tmp_path) == {"pass": 1, "skip": 1}
    make_wheel(tmp_path, ONE, requires=["bar @ https://example.org/bar.whl"])
    assert verdicts(NoDirectUrl(), tmp_path) == {"fail": 1, "skip": 1}
