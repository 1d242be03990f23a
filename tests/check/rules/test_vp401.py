from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import PLAIN, PLUS, verdicts
from support.pins import DECLARED, PIN, pinned
from support.wheels import make_wheel
from variant_publish.check.rules.abi import PinSyntax


def test_a_release_without_pins_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["numpy==2.0.0"])
    assert verdicts(PinSyntax(), tmp_path) == {"skip": 1}


def test_exact_pins_with_a_tag_pass(tmp_path: Path) -> None:
    pinned(tmp_path, PLAIN, PIN)
    pinned(tmp_path, PLUS, "numpy+pypi+x86_64_v3 == 2.0.0; python_version < '4'")
    assert verdicts(PinSyntax(), tmp_path, DECLARED) == {"pass": 3}


@pytest.mark.parametrize("pin", ["numpy==2.0.0", "numpy+pypi>=2", "numpy+pypi==2.*", "numpy+pypi", "numpy+pypi===2.0"])
def test_pins_that_are_none_fail(tmp_path: Path, pin: str) -> None:
    pinned(tmp_path, PLAIN, pin)
    assert verdicts(PinSyntax(), tmp_path) == {"fail": 1}
