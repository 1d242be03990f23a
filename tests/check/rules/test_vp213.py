from __future__ import annotations

import zipfile
from pathlib import Path

from support.checks import failures, outcomes, verdicts
from support.dialects import CONFIG, FILES, LABEL, LOCAL, PLAIN, PLUS, make
from support.wheels import make_wheel
from variant_publish.check.rules.dialects import SameContent


def test_all_dialects_with_the_same_wheels_pass(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS, LABEL, LOCAL):
        make(tmp_path, name)
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"pass": 2}


def test_other_files_in_another_dialect_are_named(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make(tmp_path, LOCAL, {**FILES, "foo/b.so": b"another build"})
    [message] = failures(SameContent(), tmp_path, CONFIG)
    assert message.endswith("with other files: foo/b.so")


def test_one_dialect_has_nothing_to_compare(tmp_path: Path) -> None:
    make(tmp_path, PLAIN)
    make(tmp_path, PLUS)
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"skip": 1}


def test_a_wheel_without_record_is_unknown(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make_wheel(tmp_path, LOCAL, files=FILES, record=b"not,a,record,at all\n")
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"skip": 1}  # VP101 reports what cannot be read
    path = make(tmp_path, LABEL)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if not name.endswith("RECORD"):
                archive.writestr(name, content)
    [outcome] = outcomes(SameContent(), tmp_path, CONFIG)
    assert (outcome.verdict, outcome.file) == ("unknown", LABEL)
