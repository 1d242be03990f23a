from __future__ import annotations

import zipfile
from pathlib import Path

from support.checks import PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.rules.content import RecordHashes
from variant_publish.config.configuration import Config
from variant_publish.release.release import load


def patch(path: Path, member: str, content: bytes) -> None:
    """Write other bytes in place of a member's, and leave RECORD as it is."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in members.items():
            archive.writestr(name, content if name == member else old)


def test_files_with_their_hashes_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(RecordHashes(), tmp_path) == {"pass": 1}


def test_patched_and_damaged_files_fail(tmp_path: Path) -> None:
    patch(make_wheel(tmp_path, PLAIN, files={"foo.py": b"x = 1\n"}), "foo.py", b"x = 2\n")
    assert failures(RecordHashes(), tmp_path) == ["RECORD has the hashes of other bytes for foo.py"]
    path = make_wheel(tmp_path, PLUS, files={"foo.py": b"x = 1\n" * 99})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    assert verdicts(RecordHashes(), tmp_path) == {"fail": 2}


def test_a_file_that_went_away_is_unknown(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, PLAIN)
    release = load([tmp_path], Config.parse("")).only()
    path.unlink()
    (outcome,) = RecordHashes().check(Context(release))
    assert outcome.verdict == "unknown"
