from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import MAC, PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.claims import OneLibc

MUSL = "foo-1.0-cp312-cp312-musllinux_1_2_x86_64.whl"


@pytest.mark.parametrize(
    ("name", "library", "linked"),
    [
        (PLAIN, "libc.musl-x86_64.so.1", "musl"),
        (MUSL, "libc.so.6", "glibc"),
        (MUSL, "ld-linux-x86-64.so.2", "glibc"),
    ],
)
def test_the_other_libc_fails(tmp_path: Path, name: str, library: str, linked: str) -> None:
    make_wheel(tmp_path, name, files={"foo/a.so": elf(needed=[library])})
    platform = name.removesuffix(".whl").rpartition("-")[2]
    assert failures(OneLibc(), tmp_path) == [f"foo/a.so is linked with {linked}, and the tag is {platform}"]


@pytest.mark.parametrize(
    ("name", "library"), [(PLAIN, "libc.so.6"), (MUSL, "libc.musl-x86_64.so.1"), (MUSL, "libc.so")]
)
def test_the_libc_of_the_tag_passes(tmp_path: Path, name: str, library: str) -> None:
    make_wheel(tmp_path, name, files={"foo/a.so": elf(needed=[library, "libm.so.6"])})
    assert verdicts(OneLibc(), tmp_path) == {"pass": 1}


def test_other_platforms_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": elf()})
    assert verdicts(OneLibc(), tmp_path) == {"skip": 1}
