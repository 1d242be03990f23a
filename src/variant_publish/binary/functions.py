"""Where functions begin in x86-64 code: by `.eh_frame_hdr` of ELF, `.pdata` of PE and LC_FUNCTION_STARTS of Mach-O."""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator

import msgspec

from variant_publish.binary.content import Buffer, Range
from variant_publish.binary.elf import Elf
from variant_publish.binary.image import readable
from variant_publish.binary.macho import MachO
from variant_publish.binary.pe import Pe

Offset = Callable[[int], int | None]

_HEADER = bytes((1, 0x1B, 0x03, 0x3B))  # version, then the encodings of pointer, count and table that linkers write
_SHORTEST, _LONGEST, MANY_FUNCTIONS = 16, 64 * 1024, 1 << 20
_PIECES = 64


class FunctionTable(msgspec.Struct, frozen=True):
    """The beginnings of functions, sorted, counted from `base`; `offset_of` and `address_of` map addresses and bytes.

    The code of a function reaches to the beginning of the next one; that of the last is not read.
    """

    data: Buffer
    base: int
    starts: array[int]
    offset_of: Offset
    address_of: Offset

    @property
    def extent(self) -> Range:
        """Return where in the file the code lies."""
        first, last = (self.offset_of(self.base + self.starts[number]) for number in (0, -1))
        return first or 0, len(self.data) if last is None else last

    def sampled(self, limit: int) -> Iterator[bytes]:
        """Return the code of functions: runs of neighbours, at even distances, so that the whole code is met."""
        if len(self.starts) < 2:
            return
        runs = 1 if self.starts[-1] - self.starts[0] <= limit else _PIECES
        for run in range(runs):
            first, used = run * (len(self.starts) - 1) // runs, 0
            offset = self.offset_of(self.base + self.starts[first])
            block = b"" if offset is None else self.data[offset : offset + limit // runs + _LONGEST]
            for index in range(first, len(self.starts) - 1):
                if used >= limit // runs:
                    break
                place, length = self.starts[index] - self.starts[first], self.starts[index + 1] - self.starts[index]
                if code := block[place : place + min(length, _LONGEST)]:
                    yield code
                used += max(length, _SHORTEST)

    def around(self, offset: int) -> bytes:
        """Return the code of the function that a byte of the file is in; nothing for one that is in none."""
        address = self.address_of(offset)
        if address is None:
            return b""
        index = bisect_right(self.starts, address - self.base) - 1
        if not 0 <= index < len(self.starts) - 1:
            return b""
        # What is assembled without an entry of its own lies behind a function; instructions fall into step soon.
        start = max(self.starts[index], address - self.base - _LONGEST // 2)
        place, length = self.offset_of(self.base + start), min(self.starts[index + 1] - start, _LONGEST)
        return b"" if place is None else self.data[place : place + length]


@readable()
def elf_functions(elf: Elf) -> FunctionTable | None:
    """Return the functions of an ELF file for x86-64; None of any other, and where it has no such table."""
    table = elf.unwind_table() if elf.architecture == "x86_64" else None
    if table is None or elf.data[table.offset : table.offset + 4] != _HEADER:
        return None
    (count,) = struct.unpack("<L", elf.data[table.offset + 8 : table.offset + 12])
    content = elf.data[table.offset + 12 : table.offset + 12 + min(count, MANY_FUNCTIONS) * 8]
    found = array("i", content[: len(content) // 8 * 8])
    if sys.byteorder == "big":
        found.byteswap()
    starts, end = found[::2], elf.code_end()
    if starts and end is not None and starts[-1] < end - table.address < 1 << 31:
        starts.append(end - table.address)  # behind the last function lies what was assembled without an entry
    return FunctionTable(elf.data, table.address, starts, elf.offset_of, elf.address_of)


@readable()
def pe_functions(pe: Pe) -> FunctionTable | None:
    """Return the functions of a PE file for x86-64 (`.pdata`); None of any other."""
    found = pe.functions(MANY_FUNCTIONS)
    return FunctionTable(pe.data, 0, array("q", found), pe.offset_of, pe.address_of) if found else None


@readable()
def macho_functions(slices: tuple[MachO, ...]) -> FunctionTable | None:
    """Return the functions of the x86-64 part of a Mach-O file; None where it has none."""
    one = next((one for one in slices if one.architecture == "x86_64"), None)
    found = one.functions(MANY_FUNCTIONS) if one is not None else []
    if one is None or not found:
        return None
    start = one.start
    return FunctionTable(one.data, 0, array("q", found), lambda place: start + place, lambda offset: offset - start)
