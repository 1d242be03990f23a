"""Wheels in every shape that the ZIP format allows and that real tools have written."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from variant_publish.formats.record import Record, RecordRow

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME = "foo-1.0-py3-none-any.whl"
INFO = "foo-1.0.dist-info"
PAYLOAD = {"foo/__init__.py": b"x = 1\n" * 50, "foo/b.bin": bytes(range(256)) * 20, "foo/empty.py": b""}
HOLE = 4 * 1024**3 + 256 * 1024**2
HOLE_CRC = 0x8E9B8BF4
"""CRC-32 of 6 GiB of zeros."""


class Unseekable(io.RawIOBase):
    """Make zipfile write data descriptors, as it does into a pipe."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Buffer) -> int:
        """Keep the bytes."""
        self.data += bytes(data)
        return len(bytes(data))


def files_of(payload: Mapping[str, bytes] = PAYLOAD, *, first: bool = False, newline: str = "\n") -> dict[str, bytes]:
    """Return the members of a sound wheel, RECORD last of the dist-info, dist-info last or first."""
    info = {
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [RecordRow.of(name, text) for name, text in {**payload, **info}.items() if not name.endswith("/")]
    info[f"{INFO}/RECORD"] = bytes(Record((*rows, RecordRow(f"{INFO}/RECORD")), newline))
    return {**info, **payload} if first else {**payload, **info}


def zipped(
    files: Mapping[str, bytes],
    *,
    method: int = zipfile.ZIP_DEFLATED,
    streamed: bool = False,
    zip64: bool = False,
    comment: bytes = b"",
) -> bytes:
    """Write an archive; `zip64` puts zip64 extra fields into the local headers only."""
    target = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.comment = comment
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            entry.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w", force_zip64=zip64) as stream:
                stream.write(text)
    return bytes(target.data) if isinstance(target, Unseekable) else target.getvalue()


def entries_of(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Cut an archive without zip64 into its local part, the entries of its directory, and its comment."""
    end = data.rindex(b"PK\x05\x06")
    count, length, start, _ = struct.unpack_from("<HLLH", data, end + 10)
    entries, place = [], start
    for _ in range(count):
        total = 46 + sum(struct.unpack_from("<3H", data, place + 28))
        entries.append(data[place : place + total])
        place += total
    assert place == start + length
    return data[:start], entries, data[end + 22 :]


def joined(local: bytes, entries: list[bytes], comment: bytes = b"", *, zip64: bool = False) -> bytes:
    """Put an archive together again, with zip64 end records if asked for."""
    directory, count, start = b"".join(entries), len(entries), len(local)
    return local + directory + end_records(count, len(directory), start, comment, zip64=zip64)


def end_records(count: int, length: int, start: int, comment: bytes = b"", *, zip64: bool = False) -> bytes:
    """Return what stands behind a directory of `length` bytes at `start`."""
    tail = b""
    if zip64:
        tail += struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, start)
        tail += struct.pack("<4sLQL", b"PK\x06\x07", 0, start + length, 1)
        count, start = 0xFFFF, 0xFFFFFFFF
    return tail + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, length, start, len(comment)) + comment


def widened(entry: bytes) -> bytes:
    """Move sizes and offset of a directory entry into a zip64 extra field."""
    names, extras = struct.unpack_from("<2H", entry, 28)
    packed, size = struct.unpack_from("<2L", entry, 20)
    (offset,) = struct.unpack_from("<L", entry, 42)
    extra = struct.pack("<2H3Q", 1, 24, size, packed, offset)
    new = bytearray(entry)
    struct.pack_into("<2L", new, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<L", new, 42, 0xFFFFFFFF)
    struct.pack_into("<H", new, 30, extras + len(extra))
    return bytes(new[: 46 + names]) + extra + bytes(new[46 + names :])


def unsorted() -> bytes:
    """Return a wheel whose directory is in another order than its members."""
    local, entries, comment = entries_of(zipped(files_of()))
    return joined(local, entries[::-1], comment)


def zip64_everywhere() -> bytes:
    """Return a wheel with zip64 in the directory and the end records, though nothing in it is large."""
    local, entries, _ = entries_of(zipped(files_of()))
    return joined(local, [widened(entry) for entry in entries], zip64=True)


def zip64_end_only() -> bytes:
    """Return a wheel with zip64 end records only."""
    local, entries, _ = entries_of(zipped(files_of()))
    return joined(local, entries, zip64=True)


def many(count: int) -> bytes:
    """Return a wheel with exactly so many members."""
    names = {f"foo/{number}.py": b"" for number in range(count - 3)}
    return zipped(files_of(names), method=zipfile.ZIP_STORED)


ODD_NAMES = {
    "foo/a,b.py": b"1", 'foo/q"uote.py': b"2", "foo/ünïcode.py": b"3", "foo/sp ace.py": b"4", "foo/a..b.py": b"5",
}  # fmt: skip

SHAPES: dict[str, Callable[[], bytes]] = {
    "plain": lambda: zipped(files_of()),
    "info first": lambda: zipped(files_of(first=True)),
    "large, info first": lambda: zipped(
        files_of({"foo/a,b": b"", **PAYLOAD, "foo/big": bytes(5 << 20)}, first=True), method=zipfile.ZIP_STORED
    ),
    "data descriptors": lambda: zipped(files_of(), streamed=True),
    "stored": lambda: zipped(files_of(), method=zipfile.ZIP_STORED),
    "folders": lambda: zipped(files_of({"foo/": b"", **PAYLOAD, "foo/sub/": b""})),
    "unsorted": unsorted,
    "comment": lambda: zipped(files_of(), comment=b"built by hand"),
    "odd names": lambda: zipped(files_of({**PAYLOAD, **ODD_NAMES})),
    "crlf": lambda: zipped(files_of({**PAYLOAD, **ODD_NAMES}, newline="\r\n")),
    "vendored": lambda: zipped(files_of({**PAYLOAD, "foo/_vendor/bar-2.dist-info/METADATA": b"Name: bar\n"})),
    "data": lambda: zipped(files_of({**PAYLOAD, "foo-1.0.data/data/share/foo/x": b"x" * 99})),
    "zip64 local": lambda: zipped(files_of(), zip64=True),
    "zip64 local, info first": lambda: zipped(files_of(first=True), zip64=True),
    "zip64 streamed": lambda: zipped(files_of(), streamed=True, zip64=True),
    "zip64 everywhere": zip64_everywhere,
    "zip64 end": zip64_end_only,
}


def write_sparse(path: Path) -> Path:
    """Write a wheel of 6 GiB that takes a few blocks on the disk: a stored member of zeros between two small ones."""
    local, entries, _ = entries_of(zipped({"foo/first.py": b"1"}))
    big = "foo/zeros.bin"
    rows = [RecordRow.of("foo/first.py", b"1"), RecordRow(big, "", str(HOLE))]
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 33, HOLE_CRC, 0xFFFFFFFF, 0xFFFFFFFF, len(big), 20)
    header += big.encode() + struct.pack("<2H2Q", 1, 16, HOLE, HOLE)
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 33, HOLE_CRC, 0xFFFFFFFF, 0xFFFFFFFF, len(big), 20, 0, 0, 0,
        0o100644 << 16, len(local),
    )  # fmt: skip
    entry += big.encode() + struct.pack("<2H2Q", 1, 16, HOLE, HOLE)
    behind = len(local) + len(header) + HOLE
    info = {name: text for name, text in files_of({}).items() if not name.endswith("RECORD")}
    rows += [RecordRow.of(name, text) for name, text in info.items()]
    info[f"{INFO}/RECORD"] = bytes(Record((*rows, RecordRow(f"{INFO}/RECORD"))))
    tail, tail_entries, _ = entries_of(zipped(info))
    directory = b"".join([*entries, entry, *(_shifted(one, behind) for one in tail_entries)])
    with path.open("wb") as stream:
        stream.write(local + header)
        stream.seek(behind)
        stream.write(tail + directory)
        stream.write(end_records(2 + len(info), len(directory), behind + len(tail), zip64=True))
    assert path.stat().st_size > HOLE
    return path


def _shifted(entry: bytes, shift: int) -> bytes:
    names, _ = struct.unpack_from("<2H", entry, 28)
    (offset,) = struct.unpack_from("<L", entry, 42)
    new = bytearray(entry)
    struct.pack_into("<L", new, 42, 0xFFFFFFFF)
    struct.pack_into("<H", new, 30, 12)
    return bytes(new[: 46 + names]) + struct.pack("<2HQ", 1, 8, offset + shift)
