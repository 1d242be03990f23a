from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from support.archives import assert_gap_free, contents, raw_members
from support.odd_wheels import Unseekable
from variant_publish.archive.directory import extra_fields
from variant_publish.archive.transfer import Sink
from variant_publish.archive.writer import RawWriter
from variant_publish.archive.zipraw import InvalidArchive, RawArchive, open_archive
from variant_publish.errors import VariantPublishError


def make_zip(path: Path, members: dict[str, bytes], *, comment: bytes = b"", streamed: bool = False) -> Path:
    target = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(target.data if isinstance(target, Unseekable) else target.getvalue())
    return path


def copy_all(source: Path, target: Path) -> Path:
    with open_archive(source) as archive, target.open("wb") as stream:
        writer = RawWriter(Sink(stream.fileno()))
        writer.copy(archive, archive.directory.order, archive.ends(), lambda count: None)
        writer.finish(archive.directory.comment)
    return target


MEMBERS = {"a.txt": b"a" * 1000, "folder/": b"", "é.txt": b"b" * 10, "empty": b""}


def test_a_copy_of_everything_is_the_same_bytes(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", MEMBERS, comment=b"hello")
    assert copy_all(source, tmp_path / "b.zip").read_bytes() == source.read_bytes()


def test_data_descriptors_are_copied_with_their_members(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", MEMBERS, streamed=True)
    target = copy_all(source, tmp_path / "b.zip")
    assert contents(target) == MEMBERS
    assert_gap_free(target)


def test_bytes_between_entries_are_dropped(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("gone", b"x")
        archive.writestr("last", b"y")
        del archive.NameToInfo["gone"]
        archive.filelist = [info for info in archive.filelist if info.filename != "gone"]
    target = copy_all(source, tmp_path / "b.zip")
    assert contents(target) == {**MEMBERS, "last": b"y"}
    assert_gap_free(target)
    assert raw_members(target) == raw_members(source)


def test_members_are_read_and_checked(tmp_path: Path) -> None:
    with open_archive(make_zip(tmp_path / "a.zip", MEMBERS)) as archive:
        assert {member.name: archive.read(member) for member in archive.directory.members} == MEMBERS
        with pytest.raises(InvalidArchive, match="more than a wheel can have"):
            archive.read(archive.directory.members[0], limit=10)


def test_a_member_of_another_method_is_copied_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"a" * 1000)
    assert copy_all(path, tmp_path / "b.zip").read_bytes() == path.read_bytes()
    with open_archive(path) as source, pytest.raises(InvalidArchive, match="with method 12, not deflate"):
        source.read(source.directory.members[0])


def test_zip64_end_records_and_extra_fields_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("big", "w", force_zip64=True) as stream:
        stream.write(b"x" * 100)
    with open_archive(path) as source:
        assert source.read(source.directory.members[0]) == b"x" * 100
    assert copy_all(path, tmp_path / "b.zip").read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_more_than_65535_members_survive(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(65_540):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    target = copy_all(path, tmp_path / "b.zip")
    with zipfile.ZipFile(target) as archive:
        assert len(archive.infolist()) == 65_540


def test_a_member_beyond_4_gib_survives_a_move(tmp_path: Path) -> None:
    path = tmp_path / "sparse.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("first", b"1")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("second", b"2")
    data = path.read_bytes()
    hole = 5 * 1024**3
    with zipfile.ZipFile(path) as archive:
        second, start = archive.getinfo("second"), archive.start_dir
    entry = data[second.header_offset : start]
    directory = data[start : data.rindex(b"PK\x05\x06")]
    cut = directory.rindex(b"PK\x01\x02")
    record = bytearray(directory[cut:])
    record[42:46] = b"\xff" * 4
    record[30:32] = struct.pack("<H", 12)
    moved = directory[:cut] + bytes(record) + struct.pack("<2HQ", 1, 8, hole)
    with path.open("r+b") as stream:
        stream.truncate(second.header_offset)
        stream.seek(hole)
        stream.write(entry + moved)
        end = hole + len(entry)
        stream.write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(moved), end))
        stream.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, end + len(moved), 1))
        stream.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(moved), 0xFFFFFFFF, 0))
    target = copy_all(path, tmp_path / "b.zip")
    assert target.stat().st_size < 1000
    assert contents(target) == {"first": b"1", "second": b"2"}


def test_every_truncation_is_one_clear_error(tmp_path: Path) -> None:
    data = make_zip(tmp_path / "a.zip", MEMBERS).read_bytes()
    path = tmp_path / "cut.zip"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(VariantPublishError, match=r"cut\.zip"), open_archive(path) as archive:
            archive.ends()


@pytest.mark.parametrize("trailer", [b"x", b"PK\x05\x06" + b"\0" * 10])
def test_bytes_behind_the_end_are_refused(tmp_path: Path, trailer: bytes) -> None:
    path = make_zip(tmp_path / "a.zip", MEMBERS)
    path.write_bytes(path.read_bytes() + trailer)
    with pytest.raises(InvalidArchive):
        RawArchive(path)


def test_bytes_before_the_archive_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", MEMBERS)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    with pytest.raises(InvalidArchive, match="not where its end record says"):
        RawArchive(path)


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": b"1", "b": b"2"})
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", start + 1)
    data[second : second + 46] = data[start : start + 46]
    data[second + 46 : second + 47] = b"a"
    path.write_bytes(bytes(data))
    with open_archive(path) as archive, pytest.raises(InvalidArchive, match="overlap"):
        archive.ends()


def test_a_lying_checksum_is_found(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": b"12345" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 16] ^= 1
    path.write_bytes(bytes(data))
    with open_archive(path) as archive, pytest.raises(InvalidArchive, match="checksum"):
        archive.read(archive.directory.members[0])


def test_a_folder_or_a_missing_file_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.whl", tmp_path):
        with pytest.raises(VariantPublishError), open_archive(path):
            pass


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="the kernel copies nothing here")
def test_without_a_kernel_copy_the_bytes_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    monkeypatch.setattr(os, "sendfile", refuse)
    source = make_zip(tmp_path / "a.zip", MEMBERS)
    assert copy_all(source, tmp_path / "b.zip").read_bytes() == source.read_bytes()


def test_nothing_is_read_outside_the_file(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", MEMBERS)
    with open_archive(path) as archive:
        size = path.stat().st_size
        assert archive.at(0, 4) == b"PK\3\4"
        assert archive.at(size, 0) == b""
        for offset, length in ((-1, 1), (0, -1), (size, 1), (0, size + 1)):
            with pytest.raises(InvalidArchive, match="is truncated or damaged"):
                archive.at(offset, length)


def test_a_checksum_that_both_headers_lie_about_is_found(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.txt": b"hello"})
    data = bytearray(path.read_bytes())
    for place in (14, data.rindex(b"PK\1\2") + 16):
        struct.pack_into("<L", data, place, 1)
    path.write_bytes(data)
    with open_archive(path) as archive, pytest.raises(InvalidArchive, match="does not match its checksum"):
        archive.read(archive.directory.member(0))


def test_a_local_header_that_promises_a_zip64_field_and_has_none_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.txt": b"hello"})
    data = bytearray(path.read_bytes())
    struct.pack_into("<2L", data, 18, 0xFFFFFFFF, 0xFFFFFFFF)
    path.write_bytes(data)
    with open_archive(path) as archive, pytest.raises(InvalidArchive, match="says something else"):
        archive.read(archive.directory.member(0))


@pytest.mark.parametrize(
    ("extra", "fields"),
    [
        (b"", []),
        (b"\1\0\3", []),
        (b"\1\0\2\0ab", [(1, b"ab", b"\1\0\2\0ab")]),
        (b"\1\0\0\0\2\0\1\0c", [(1, b"", b"\1\0\0\0"), (2, b"c", b"\2\0\1\0c")]),
        (b"\1\0\x09\0ab", [(1, b"ab", b"\1\0\x09\0ab")]),
        (b"\1\0\1\0a\2\0", [(1, b"a", b"\1\0\1\0a")]),
    ],
)
def test_extra_fields_end_where_they_are_cut(extra: bytes, fields: list[tuple[int, bytes, bytes]]) -> None:
    assert list(extra_fields(extra)) == fields
