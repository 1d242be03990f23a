"""PE files (Windows DLLs): machine type, imported and exported symbols (Microsoft PE/COFF).

The loader of Windows has limits of its own, which are the budgets here; all symbols of a file together have one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import cached_property

from variant_publish.binary.content import Buffer
from variant_publish.binary.image import Format, Image, InvalidBinary, Symbol, module_names, names_budget, readable

_MACHINES: Mapping[int, str] = {0x14C: "win32", 0x8664: "amd64", 0xAA64: "arm64"}
_PE_PLUS, _CODE = 0x20B, 0x20
_EXPORTS, _IMPORTS, _EXCEPTIONS, _DELAYED = 0, 1, 3, 13
_MANY_SECTIONS, _MANY_LIBRARIES, _MANY_SYMBOLS = 96, 1024, 1 << 18
_LONG_NAME = 4096


class Pe:
    """Read a PE file by position; raises InvalidBinary where it contradicts itself."""

    @readable()
    def __init__(self, data: Buffer) -> None:
        self.data = data
        self._symbols_left, self._names_left = _MANY_SYMBOLS, names_budget(len(data))
        (start,) = self._at(struct.Struct("<L"), 0x3C)
        if self.data[start : start + 4] != b"PE\0\0":
            raise InvalidBinary("it is a program for DOS, not for Windows")
        self.machine, count, _, _, _, optional, _ = self._at(struct.Struct("<2H3L2H"), start + 4)
        if count > _MANY_SECTIONS:
            raise InvalidBinary(f"it has {count} sections, and Windows loads at most {_MANY_SECTIONS}")
        self.optional = start + 24
        (magic,) = self._at(struct.Struct("<H"), self.optional)
        self.is_plus = magic == _PE_PLUS
        row = struct.Struct("<4L12xL")  # virtual size, virtual address, raw size, raw offset, what it holds
        self.sections = [self._at(row, self.optional + optional + number * 40 + 8) for number in range(count)]

    def image(self) -> Image:
        """Return what the headers say."""
        return Image(
            format=Format.PE,
            architectures=(_MACHINES.get(self.machine, f"machine {self.machine:#x}"),),
            needed=tuple(dict.fromkeys(library for library, _ in self.imports)),
            imports=frozenset(name for _, names in self.imports for name in names),
            modules=module_names(self.exports),
            code=tuple((raw, raw + size) for _, _, size, raw, kind in self.sections if kind & _CODE),
        )

    def symbols(self) -> Iterator[Symbol]:
        """Return the symbols that libraries must have (their names in lower case), and the exported ones, by name."""
        for library, names in self.imports:
            yield from (Symbol(name, False, library=library) for name in names)
        yield from (Symbol(name, True) for name in self.exports)

    @cached_property
    @readable()
    def imports(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the libraries and what each must have; delay-loaded ones included."""
        return (*self._imports(_IMPORTS, struct.Struct("<5L")), *self._imports(_DELAYED, struct.Struct("<8L")))

    @cached_property
    @readable()
    def exports(self) -> tuple[str, ...]:
        """Return the symbols that the file exports by name."""
        place = self._directory(_EXPORTS)
        if place is None:
            return ()
        *_, count, _, names, _ = self._at(struct.Struct("<2L2H7L"), place)
        table = self.offset_of(names)
        if table is None or not count:
            return ()
        self._spend(count)
        pointers = struct.iter_unpack("<L", self.data[table : table + 4 * count])
        return tuple(self._text(where) for (pointer,) in pointers if (where := self.offset_of(pointer)) is not None)

    def _imports(self, directory: int, layout: struct.Struct) -> Iterator[tuple[str, tuple[str, ...]]]:
        place = self._directory(directory)
        for _ in range(_MANY_LIBRARIES if place is not None else 0):
            fields = self._at(layout, place or 0)
            names, library = (fields[4], fields[1]) if directory == _DELAYED else (fields[0] or fields[4], fields[3])
            if not library or (where := self.offset_of(library)) is None:
                return
            yield self._text(where).lower(), tuple(self._thunks(names))
            place = (place or 0) + layout.size

    def _thunks(self, address: int) -> Iterator[str]:
        layout, ordinal = (struct.Struct("<Q"), 1 << 63) if self.is_plus else (struct.Struct("<L"), 1 << 31)
        place = self.offset_of(address)
        while place is not None:
            self._spend(1)
            (value,) = self._at(layout, place)
            if not value:
                return
            if not value & ordinal and (where := self.offset_of(value & 0x7FFFFFFF)) is not None:
                yield self._text(where + 2)
            place += layout.size

    def _spend(self, count: int) -> None:
        self._symbols_left -= count
        if self._symbols_left < 0:
            raise InvalidBinary(f"it has more than the {_MANY_SYMBOLS} symbols that are read")

    def _directory(self, number: int) -> int | None:
        (count,) = self._at(struct.Struct("<L"), self.optional + (108 if self.is_plus else 92))
        if number >= count:
            return None
        (address,) = self._at(struct.Struct("<L"), self.optional + (112 if self.is_plus else 96) + number * 8)
        return self.offset_of(address) if address else None

    def offset_of(self, address: int) -> int | None:
        """Return where the byte of a virtual address lies in the file."""
        for size, start, raw_size, raw, _ in self.sections:
            if start <= address < start + max(size, raw_size):
                return address - start + raw
        return None

    def address_of(self, offset: int) -> int | None:
        """Return the virtual address of a byte of the file."""
        for _, start, raw_size, raw, _ in self.sections:
            if raw <= offset < raw + raw_size:
                return offset - raw + start
        return None

    def functions(self, limit: int) -> list[int]:
        """Return where functions begin, sorted, of code for x86-64: the table for unwinding (`.pdata`)."""
        place = self._directory(_EXCEPTIONS) if _MACHINES.get(self.machine) == "amd64" else None
        if place is None:
            return []
        _, size = self._at(struct.Struct("<2L"), self.optional + 112 + _EXCEPTIONS * 8)
        content = self.data[place : place + min(size // 12, limit) * 12]
        return sorted({begin for begin, _, _ in struct.iter_unpack("<3L", content[: len(content) // 12 * 12])})

    def _at(self, layout: struct.Struct, place: int) -> tuple[int, ...]:
        return layout.unpack(self.data[place : place + layout.size])

    def _text(self, place: int) -> str:
        text, end, _ = self.data[place : place + _LONG_NAME].partition(b"\0")
        self._names_left -= len(text)
        if not end or self._names_left < 0:
            raise InvalidBinary("its names have no end, or are longer than any compiler makes them")
        return text.decode("ascii", "replace")
