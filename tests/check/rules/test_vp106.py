from __future__ import annotations

import zipfile
from pathlib import Path

from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    CompleteRecord,
)
from variant_publish.formats.record import Record, RecordRow


def test_a_right_record_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/": b"", "foo/a.py": b"", "foo/ü, b.py": b"x"},
               extra_info={"RECORD.jws": b"{}"})  # fmt: skip
    assert verdicts(CompleteRecord(), tmp_path) == {"pass": 1}


def test_a_record_with_gaps_fails(tmp_path: Path) -> None:
    rows = [RecordRow.of("foo.py", b"no"), RecordRow("foo-1.0.dist-info/METADATA"), RecordRow.of("gone.py", b"")]
    make_wheel(tmp_path, PLAIN, record=bytes(Record((*rows, rows[2]))))
    assert failures(CompleteRecord(), tmp_path) == [
        "RECORD does not list foo-1.0.dist-info/WHEEL",
        "RECORD lists what is not in the archive: gone.py",
        "RECORD lists twice gone.py",
        "RECORD has no SHA-256 or better for foo-1.0.dist-info/METADATA",
        "RECORD has another size than the archive for foo.py",
    ]


def test_a_wheel_without_record_fails(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "foo-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("foo-1.0.dist-info/METADATA", "Name: foo\nVersion: 1.0\n")
        archive.writestr("foo-1.0.dist-info/WHEEL", "Tag: py3-none-any\n")
    assert failures(CompleteRecord(), tmp_path) == ["there is no foo-1.0.dist-info/RECORD"]
