from __future__ import annotations

from pathlib import Path

from support.checks import LABELLED, PLAIN, PLUS, failures, verdicts
from support.pins import DECLARED, PIN, pinned
from support.wheels import make_wheel
from variant_publish.check.rules.abi import SamePins


def test_a_release_without_pins_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, requires=["numpy==2.0.0"])
    assert verdicts(SamePins(), tmp_path) == {"skip": 1}


def test_pins_are_those_of_the_configuration(tmp_path: Path) -> None:
    pinned(tmp_path, PLAIN, PIN)
    pinned(tmp_path, PLUS, PIN)
    assert verdicts(SamePins(), tmp_path) == {"pass": 2}
    assert verdicts(SamePins(), tmp_path, DECLARED) == {"pass": 2}
    pinned(tmp_path, LABELLED, "numpy+pypi==2.1.0")
    assert failures(SamePins(), tmp_path, DECLARED) == [
        "it lacks what the configuration pins: numpy+pypi==2.0.0; it alone has numpy+pypi==2.1.0"
    ]


def test_a_wheel_without_the_pins_of_the_others_fails(tmp_path: Path) -> None:
    pinned(tmp_path, PLUS, PIN)
    make_wheel(tmp_path, PLAIN)
    assert failures(SamePins(), tmp_path) == ["it lacks what another wheel of the release pins: numpy+pypi==2.0.0"]
