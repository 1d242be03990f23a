"""The central directory of an archive is read whole, or what is wrong with it is one sentence."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from variant_publish.archive.directory import (
    CENTRAL,
    CENTRAL_MAGIC,
    DESCRIPTOR,
    ENCRYPTED,
    END,
    END_MAGIC,
    UTF8,
    Directory,
    InvalidArchive,
    read_directory,
)


def read(data: bytes) -> Directory:
    return read_directory(Path("a.zip"), len(data), lambda start, length: data[start : start + length])


def entry(name: bytes = b"", *, magic: bytes = CENTRAL_MAGIC, flags: int = 0, disk: int = 0, offset: int = 0) -> bytes:
    return CENTRAL.pack(magic, 20, 20, flags, 0, 0, 0, 0, 1, 1, len(name), 0, 0, disk, 0, 0, offset) + name


def archive(
    *entries: bytes, disks: tuple[int, int] = (0, 0), here: int | None = None, count: int | None = None
) -> bytes:
    raw, count = b"".join(entries), len(entries) if count is None else count
    return raw + END.pack(END_MAGIC, *disks, count if here is None else here, count, len(raw), 0, 0)


def test_members_have_the_order_of_the_directory_and_of_the_file() -> None:
    directory = read(archive(entry(b"b", offset=7), entry(b"a", offset=3)))
    assert [member.name for member in directory.members] == ["b", "a"]
    assert directory.order == [1, 0]


def test_a_member_without_a_name_is_the_smallest_there_is() -> None:
    assert [member.name for member in read(archive(entry(), entry())).members] == ["", ""]


@pytest.mark.parametrize(
    ("flags", "name"), [(UTF8, "é"), (UTF8 | ENCRYPTED, "é"), (0, "├⌐"), (ENCRYPTED | DESCRIPTOR, "├⌐")]
)
def test_a_name_is_utf_8_where_its_flag_says_so(flags: int, name: str) -> None:
    assert read(archive(entry("é".encode(), flags=flags))).names == [name]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (archive(entry(b"a"), disks=(1, 0)), "split over several disks"),
        (archive(entry(b"a"), disks=(0, 1)), "split over several disks"),
        (archive(entry(b"a"), entry(b"b"), here=1), "split over several disks"),
        (archive(entry(b"a"), count=2), "47 bytes for 2 members, which cannot be right"),
        (archive(entry(b"a" * 46), count=2), "ends too early|holds something else"),
        (archive(entry(b"a" * 46), count=0), "holds more than it counts"),
        (archive(entry(b"a", magic=b"PK\1\3")), "holds something else"),
        (archive(entry(b"a", disk=1)), "holds something else"),
        (archive(entry(b"a"), entry(b"b")[:-1]), "holds something else"),
        (b"x" + archive(entry(b"a")), "not where its end record says"),
        (b"", "not a ZIP archive"),
    ],
)
def test_what_contradicts_itself_is_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(InvalidArchive, match=words):
        read(data)


def test_a_directory_of_more_than_128_mib_is_not_read() -> None:
    length = 128 * 1024 * 1024 + 1
    end = END.pack(END_MAGIC, 0, 0, 1, 1, length, 0, 0)
    asked: list[int] = []

    def at(start: int, count: int) -> bytes:
        asked.append(count)
        return end.rjust(count, b"\0") if start + count == length + END.size else bytes(count)

    with pytest.raises(InvalidArchive, match="cannot be right"):
        read_directory(Path("a.zip"), length + END.size, at)
    assert max(asked) < 70_000


def _zip64(change: Callable[[bytearray], None]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made, made.open("big", "w", force_zip64=True) as stream:
        stream.write(b"x")
    data = bytearray(target.getvalue())
    change(data)
    return bytes(data)


def test_a_wide_size_without_its_extra_field_is_told() -> None:
    def shrink(data: bytearray) -> None:
        place = data.rindex(CENTRAL_MAGIC)
        struct.pack_into("<L", data, place + 24, 0xFFFFFFFF)

    with pytest.raises(InvalidArchive, match="a zip64 size is missing"):
        read(_zip64(shrink))
