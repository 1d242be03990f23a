from __future__ import annotations

import zipfile
from pathlib import Path

from support.checks import LINUX, failures, verdicts
from support.wheels import make_wheel
from variant_publish.config import Config
from variant_publish.release import load
from variant_publish.rules.content import RecordHashes, SamePureFiles
from variant_publish.rules.context import Context

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = PLAIN.replace(".whl", "+cu128.whl")


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


def test_wheels_that_are_not_read_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    release = load([tmp_path], Config.parse("")).only()
    found = list(RecordHashes().check(Context(release, no_scan="not downloaded")))
    assert [outcome.verdict for outcome in found] == ["skip"]


def test_a_file_that_went_away_is_unknown(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, PLAIN)
    release = load([tmp_path], Config.parse("")).only()
    path.unlink()
    (outcome,) = RecordHashes().check(Context(release))
    assert outcome.verdict == "unknown"


def test_variants_with_the_same_python_files_pass(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS):
        make_wheel(tmp_path, name, files={"foo/a.py": b"", "foo/_version.py": name.encode(), "foo/b.so": name.encode()})
    assert verdicts(SamePureFiles(), tmp_path) == {"pass": 1}


def test_other_python_files_in_a_variant_are_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.py": b"1"})
    make_wheel(tmp_path, PLUS, files={"foo/a.py": b"2", "foo/b.py": b"", "foo/c.so": b""})
    assert failures(SamePureFiles(), tmp_path) == [f"it has other files than {PLAIN}: foo/a.py, foo/b.py"]


def test_without_a_generic_wheel_beside_it_there_is_nothing_to_compare(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("cp312", "cp311"))
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLUS)
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}


def test_variants_without_binaries_differ_by_nature(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS):
        make_wheel(tmp_path, name)
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}
