from __future__ import annotations

from pathlib import Path

from support.binaries import elf
from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.claims import NotTheGenericAgain

V3 = PLAIN.replace(".whl", "+x86_64_v3.whl")


def test_the_generic_binaries_again_fail(tmp_path: Path) -> None:
    for name in (PLAIN, V3):
        make_wheel(tmp_path, name, files={"foo/a.so": elf(), "foo/b.so": elf(extra=b"b")})
    assert failures(NotTheGenericAgain(), tmp_path) == [f"it has 2 libraries, byte for byte those of {PLAIN}"]


def test_other_binaries_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(extra=b"v3")})
    assert verdicts(NotTheGenericAgain(), tmp_path) == {"pass": 1}


def test_variants_that_require_something_else_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf()}, requires=["bar"])
    assert verdicts(NotTheGenericAgain(), tmp_path) == {"skip": 1}
