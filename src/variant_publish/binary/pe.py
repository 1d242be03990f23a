"""PE files (Windows DLLs) in memory: machine type, imported libraries and symbols (Microsoft PE/COFF)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping

from variant_publish.binary.image import Buffer, Format, Image, InvalidBinary

_MACHINES: Mapping[int, str] = {0x14C: "win32", 0x8664: "amd64", 0xAA64: "arm64"}
_PE_PLUS = 0x20B
_MODULE = re.compile(rb"\0PyInit(?:U)?_([A-Za-z0-9_]+)(?=\0)")
_MANY = 1 << 16


def pe_image(data: Buffer) -> Image:
    """Return what the headers of a PE file say; raise InvalidBinary where they contradict themselves."""
    try:
        return _Pe(data).image()
    except (struct.error, IndexError, ValueError) as error:
        raise InvalidBinary(f"its PE header is damaged ({error})") from error


class _Pe:
    def __init__(self, data: Buffer) -> None:
        self.data = data
        start = self._at("<L", 0x3C)[0]
        if data[start : start + 4] != b"PE\0\0":
            raise InvalidBinary("it is a program for DOS, not for Windows")
        self.machine, count, _, _, _, optional, _ = self._at("<2H3L2H", start + 4)
        self.optional = start + 24
        self.is_plus = self._at("<H", self.optional)[0] == _PE_PLUS
        self.sections = [
            self._at("<4L", self.optional + optional + number * 40 + 8) for number in range(count)
        ]  # virtual size, virtual address, raw size, raw offset

    def image(self) -> Image:
        libraries = dict(self._imports(1, 20)) | dict(self._imports(13, 32))
        return Image(
            format=Format.PE,
            architectures=(_MACHINES.get(self.machine, f"machine {self.machine:#x}"),),
            needed=tuple(libraries),
            imports=frozenset(name for names in libraries.values() for name in names),
            modules=tuple(dict.fromkeys(match.decode() for match in _MODULE.findall(self._exported()))),
        )

    def _imports(self, directory: int, size: int) -> Iterator[tuple[str, list[str]]]:
        """Return library and symbols of the import directory (1) or of the delay-load one (13)."""
        place = self._directory(directory)
        while place is not None:
            fields = self._at("<5L" if size == 20 else "<8L", place)
            names, library = (fields[0] or fields[4], fields[3]) if size == 20 else (fields[4], fields[1])
            if not library or (where := self._offset(library)) is None:
                return
            yield self._text(where).lower(), list(self._names(names))
            place += size

    def _names(self, address: int) -> Iterator[str]:
        layout, ordinal = ("<Q", 1 << 63) if self.is_plus else ("<L", 1 << 31)
        place = self._offset(address)
        for _ in range(_MANY if place is not None else 0):
            (value,) = self._at(layout, place or 0)
            if not value:
                return
            if not value & ordinal and (where := self._offset(value & 0x7FFFFFFF)) is not None:
                yield self._text(where + 2)
            place = (place or 0) + struct.calcsize(layout)

    def _exported(self) -> Buffer:
        place = self._directory(0)
        size = self._at("<L", self._directory_entry(0) + 4)[0]
        return b"" if place is None else self.data[place : place + size]

    def _directory_entry(self, number: int) -> int:
        return self.optional + (112 if self.is_plus else 96) + number * 8

    def _directory(self, number: int) -> int | None:
        count = self._at("<L", self.optional + (108 if self.is_plus else 92))[0]
        address = self._at("<L", self._directory_entry(number))[0] if number < count else 0
        return self._offset(address) if address else None

    def _offset(self, address: int) -> int | None:
        for size, start, raw_size, raw in self.sections:
            if start <= address < start + max(size, raw_size):
                return address - start + raw
        return None

    def _at(self, layout: str, place: int) -> tuple[int, ...]:
        return struct.unpack_from(layout, self.data, place)

    def _text(self, place: int) -> str:
        return self.data[place : self.data.index(b"\0", place)].decode("ascii", "replace")
