from __future__ import annotations

import struct
import warnings
import zipfile
from pathlib import Path

from support.checks import PLAIN, failures, release_in, verdicts
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.rules.archive import (
    StrictArchive,
)


def test_a_strict_archive_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(StrictArchive(), tmp_path) == {"pass": 1}


def test_a_member_that_is_there_twice_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with warnings.catch_warnings(), zipfile.ZipFile(wheel, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("foo.py", "VARIANT = 'another'")
    assert failures(StrictArchive(), tmp_path) == ["the archive has foo.py twice"]


def test_bytes_that_belong_to_no_entry_fail(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a") as archive:
        start = archive.start_dir
    data = wheel.read_bytes()
    end = bytearray(data[start:])
    struct.pack_into("<L", end, end.rfind(b"PK\x05\x06") + 16, start + 5)
    wheel.write_bytes(data[:start] + b"stray" + end)
    assert failures(StrictArchive(), tmp_path) == [f"the archive has 5 bytes at offset {start} that belong to no entry"]


def test_odd_compression_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("foo.txt", "text")
    assert failures(StrictArchive(), tmp_path) == ["the archive compresses 'foo.txt' with method 12"]


def test_a_wheel_that_breaks_meanwhile_is_unknown(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    release = release_in(tmp_path)
    wheel.write_bytes(b"")
    (outcome,) = StrictArchive().check(Context(release))
    assert (outcome.verdict.value, outcome.file) == ("unknown", PLAIN)


def test_an_outline_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
