"""Which vector instructions x86-64 code uses: a sample of its functions, disassembled by iced-x86.

The unwind table (`.eh_frame_hdr`) says where functions begin. A function counts as "vex" when it has an AVX instruction
on vector registers, as "legacy" when it has SSE ones only. Presence alone proves nothing: a library that chooses its
kernels when it runs has both.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from variant_publish.binary.elf import Elf

SAMPLE = 3 * 1024 * 1024
"""Bytes of code that are looked at in one library."""

ENOUGH = 50
"""Functions that touch vector registers, below which a sample says nothing."""

_UNIFORM = 0.95
_HEADER = bytes((1, 0x1B, 0x03, 0x3B))  # version, then the encodings of pointer, count and table that linkers write
_SHORTEST, _LONGEST, _MANY = 16, 64 * 1024, 1 << 20
_PIECES = 256


@dataclass(frozen=True, slots=True)
class Simd:
    """Count the functions of a sample that touch vector registers: by SSE only, by AVX, and by AVX-512 among those."""

    legacy: int = 0
    vex: int = 0
    evex: int = 0

    @property
    def is_enough(self) -> bool:
        """Return whether there are functions enough to judge by."""
        return self.legacy + self.vex >= ENOUGH

    @property
    def needs_avx(self) -> bool:
        """Return whether nearly all functions use AVX: the compiler was told that every machine has it."""
        return self.is_enough and self.vex >= _UNIFORM * (self.legacy + self.vex)

    @property
    def is_baseline(self) -> bool:
        """Return whether nearly all functions use SSE only: the compiler was told of no more."""
        return self.is_enough and self.legacy >= _UNIFORM * (self.legacy + self.vex)

    def __str__(self) -> str:
        return f"{self.vex} functions with AVX (AVX-512: {self.evex}), {self.legacy} with SSE only"


def sample(elf: Elf, limit: int = SAMPLE) -> Simd | None:
    """Count over functions spread evenly over the code, up to `limit` bytes; None where there is nothing to read."""
    if elf.architecture != "x86_64":
        return None
    counts = {"legacy": 0, "vex": 0, "evex": 0}
    for address, code in _functions(elf, limit):
        kind = _kind(address, code)
        if kind:
            counts["legacy" if kind == "legacy" else "vex"] += 1
            counts["evex"] += kind == "evex"
    return Simd(**counts) if any(counts.values()) else None


def _functions(elf: Elf, limit: int) -> Iterator[tuple[int, bytes]]:
    """Return address and code of functions: runs of neighbours, at even distances, so that the whole code is met."""
    table, starts = _starts(elf)
    if len(starts) < 2:
        return
    total = starts[-1] - starts[0]
    runs = 1 if total <= limit else _PIECES
    for run in range(runs):
        index, used = run * (len(starts) - 1) // runs, 0
        while index + 1 < len(starts) and used < limit // runs:
            begin, length = table + starts[index], min(starts[index + 1] - starts[index], _LONGEST)
            if length > 0 and (offset := elf.offset_of(begin)) is not None:
                yield begin, elf.data[offset : offset + length]
            used += max(length, _SHORTEST)
            index += 1


def _starts(elf: Elf) -> tuple[int, array[int]]:
    """Return the address of the unwind table, and where functions begin, counted from there: the table is sorted."""
    table = elf.unwind_table()
    head = elf.data[table.offset : table.offset + 12] if table else b""
    if table is None or len(head) < 12 or not head.startswith(_HEADER):
        return 0, array("i")
    (count,) = struct.unpack_from("<L", head, 8)
    content = elf.data[table.offset + 12 : table.offset + 12 + min(count, _MANY) * 8]
    found = array("i", content[: len(content) // 8 * 8])
    if sys.byteorder == "big":
        found.byteswap()
    return table.address, found[::2]


def _kind(address: int, code: bytes) -> str:
    from iced_x86 import Decoder

    found = ""
    for instruction in Decoder(64, code, ip=address):
        one = _encoding(instruction.code)
        if one == "evex":
            return one
        if one == "vex" or (one and not found):
            found = one
    return found


@cache
def _encoding(code: Any) -> str:  # an int; iced-x86's stubs call it by the name of a module
    """Return how an instruction on vector registers is encoded: "legacy", "vex" or "evex"; "" for any other one."""
    from iced_x86 import EncodingKind, OpCodeInfo

    info = OpCodeInfo(code)
    if not any(info.op_kind(number) in _vector_operands() for number in range(info.op_count)):
        return ""
    if info.encoding == EncodingKind.LEGACY:
        return "legacy"
    return {EncodingKind.VEX: "vex", EncodingKind.EVEX: "evex"}.get(info.encoding, "")


@cache
def _vector_operands() -> frozenset[int]:
    from iced_x86 import OpCodeOperandKind

    prefixes = ("XMM_", "YMM_", "ZMM_")
    return frozenset(
        value for name, value in vars(OpCodeOperandKind).items() if name.startswith(prefixes) and "VP4" not in name
    )
