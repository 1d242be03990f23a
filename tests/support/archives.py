"""Look at archives from outside: with the standard library, never with the code under test."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path


def raw_members(path: Path) -> dict[str, bytes]:
    """Return every member's compressed bytes as they lie in the file."""
    data = path.read_bytes()
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            names, extras = struct.unpack_from("<2H", data, info.header_offset + 26)
            start = info.header_offset + 30 + names + extras
            found[info.filename] = data[start : start + info.compress_size]
    return found


def contents(path: Path) -> dict[str, bytes]:
    """Return every member's content; fails where a checksum is wrong."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def assert_gap_free(path: Path) -> None:
    """Assert that local entries lie back to back from byte 0 to the directory, in the order of their offsets."""
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
        position = 0
        for info in infos:
            assert info.header_offset == position, f"gap before {info.filename}"
            names, extras = struct.unpack_from("<2H", data, position + 26)
            position += 30 + names + extras + info.compress_size
            if info.flag_bits & 8:
                position += 16 if data[position : position + 4] == b"PK\x07\x08" else 12
        assert archive.start_dir == position, "gap before the central directory"
