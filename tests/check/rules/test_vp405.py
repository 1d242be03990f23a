from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import NUMPY_1, NUMPY_2, elf
from support.checks import PLAIN, failures, outcomes, verdicts
from support.code import EXTENSION
from support.wheels import make_wheel
from variant_publish.check.rules.extensions import BuiltAgainstPin


def against(version: bytes) -> bytes:
    return elf(exports=["PyInit__c"], extra=NUMPY_2.replace(b"%s", version))


@pytest.mark.parametrize("requires", ["numpy>=1.25", "numpy==2.0.0", "numpy>=1.20; python_version < '3.9'\nnumpy>=2"])
def test_a_module_for_the_numpy_that_is_required_passes(tmp_path: Path, requires: str) -> None:
    make_wheel(tmp_path, PLAIN, files={EXTENSION: against(b"1.25+")}, requires=requires.splitlines())
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"pass": 1}


def test_a_module_for_a_newer_numpy_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={EXTENSION: against(b"2.1")}, requires=["numpy==2.0.0"])
    (message,) = failures(BuiltAgainstPin(), tmp_path)
    assert message == "foo/_c.abi3.so runs with NumPy 2.1 or later, and the wheel allows 2.0.0"


def test_a_numpy_that_the_python_never_had_is_no_failure(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={EXTENSION: against(b"1.23")}, requires=["numpy>=1.22"])
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"pass": 1}  # CPython 3.12 has had wheels since NumPy 1.26


def test_one_module_of_several_may_be_optional(tmp_path: Path) -> None:
    files = {EXTENSION: against(b"1.23"), "foo/strings.so": against(b"2.0")}
    make_wheel(tmp_path, PLAIN, files=files, requires=["numpy>=1.23"])
    (outcome,) = outcomes(BuiltAgainstPin(), tmp_path)
    assert outcome.verdict.value == "unknown"
    assert outcome.message.startswith("foo/strings.so runs with NumPy 2.0 or later, and the wheel allows 1.26")


@pytest.mark.parametrize(
    ("requires", "content"),
    [
        ([], against(b"2.1")),
        (["numpy"], against(b"2.1")),
        (["numpy>=2"], elf(exports=["PyInit__c"])),
        (["numpy>=2"], b""),
    ],
)
def test_wheels_without_a_claim_or_a_use_are_skipped(tmp_path: Path, requires: list[str], content: bytes) -> None:
    make_wheel(tmp_path, PLAIN, files={EXTENSION: content}, requires=requires)
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"skip": 1}


def test_headers_of_numpy_1_are_unknown_where_numpy_is_pinned(tmp_path: Path) -> None:
    pins = {"abi-requires.txt": b"numpy+pypi==2.0.0"}
    content = elf(exports=["PyInit__c"], extra=NUMPY_1)
    make_wheel(tmp_path, PLAIN, files={EXTENSION: content}, requires=["numpy==2.0.0"], extra_info=pins)
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"unknown": 1}
