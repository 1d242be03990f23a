from __future__ import annotations

from pathlib import Path

from support.binaries import elf
from support.checks import MAC, PLAIN, failures, verdicts
from support.code import V3
from support.wheels import make_wheel
from variant_publish.check.rules.cpu import IsaNote


def test_notes_up_to_the_label_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(isa=1)})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(isa=3)})
    assert verdicts(IsaNote(), tmp_path) == {"pass": 2}


def test_notes_above_the_label_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(isa=2)})
    make_wheel(tmp_path, V3, files={"foo/a.so": elf(isa=4)})
    assert failures(IsaNote(), tmp_path) == [
        "foo/a.so demands x86-64-v4, and the wheel is for x86-64-v3",
        "foo/a.so demands x86-64-v2, and the wheel is for x86-64-v1",
    ]


def test_binaries_without_a_note_and_other_machines_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": elf(isa=4)})
    assert verdicts(IsaNote(), tmp_path) == {"skip": 2}
