"""Assemble small executable files byte by byte, so that no test needs a compiler."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from variant_publish.binary.content import Found, find

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEGACY = bytes.fromhex("0f58c1c3")  # addps xmm0, xmm1; ret
VEX = bytes.fromhex("c5fc58c1c3")  # vaddps ymm0, ymm0, ymm1; ret
EVEX = bytes.fromhex("62f17c4858c1c3")  # vaddps zmm0, zmm0, zmm1; ret
PLAIN = bytes.fromhex("31c0c3")  # xor eax, eax; ret
SSE4 = bytes.fromhex("660f3a08c100c3")  # roundps xmm0, xmm1, 0; ret
BMI = bytes.fromhex("c4e278f2c1c3")  # andn eax, eax, ecx; ret
TZCNT = bytes.fromhex("f30fbcc1c3")  # tzcnt eax, ecx, which others run as bsf; ret
CPUID = bytes.fromhex("31c00fa2c3")  # xor eax, eax; cpuid; ret
SHLX = bytes.fromhex("c4e2f1f7c0c3")  # shlx rax, rax, rcx: VEX, and no vector register
NUMPY_2 = b"\0numpy._core._multiarray_umath\0module was compiled against (NumPy %s) but the running NumPy has\0"
NUMPY_1 = b"\0numpy.core._multiarray_umath\0"

_BASE = 0x10000


def elf(
    *,
    machine: int = 62,
    needed: Iterable[str] = (),
    soname: str | None = None,
    versions: Mapping[str, Sequence[str]] | None = None,
    imports: Iterable[str] = (),
    weak: Iterable[str] = (),
    exports: Iterable[str] = (),
    isa: int | None = None,
    functions: Iterable[bytes] = (),
    extra: bytes = b"",
) -> bytes:
    """Return a 64-bit little-endian shared library with dynamic table, symbols, versions, ISA note and functions.

    `isa` is the level of GNU_PROPERTY_X86_ISA_1_NEEDED, `functions` are the bodies that `.eh_frame_hdr` lists, `extra`
    stands at the end (device code, strings).
    """
    strings = _Strings()
    symbols = [struct.pack("<L2BH2Q", 0, 0, 0, 0, 0, 0)]
    symbols += [struct.pack("<L2BH2Q", strings.add(name), 0x12, 0, 0, 0, 0) for name in imports]
    symbols += [struct.pack("<L2BH2Q", strings.add(name), 0x22, 0, 0, 0, 0) for name in weak]
    symbols += [struct.pack("<L2BH2Q", strings.add(name), 0x12, 0, 5, _BASE, 4) for name in exports]
    dynamic = [struct.pack("<qQ", 1, strings.add(name)) for name in needed]
    dynamic += [struct.pack("<qQ", 14, strings.add(soname))] if soname else []
    libraries = versions or {}
    verneed = b"".join(
        _verneed(strings, library, names, library != [*libraries][-1]) for library, names in libraries.items()
    )
    note = b""
    if isa is not None:
        note = struct.pack("<3L4s", 4, 16, 5, b"GNU") + struct.pack("<4L", 0xC0008002, 4, 1 << (isa - 1), 0)
    code, starts = b"", []
    for body in functions:
        starts.append(len(code))
        code += body.ljust(-(-len(body) // 16) * 16, b"\x90")
    head = 64 + 2 * 56
    places, body, cursor = [], b"", head
    contents = [strings.text, b"".join(symbols), b"".join(dynamic), verneed, note, code]
    table = struct.pack("<4B2L", 1, 0x1B, 0x03, 0x3B, 0, len(starts) + bool(starts))
    for content in (*contents, b""):
        cursor += -cursor % 16
        body = body.ljust(cursor - head, b"\0") + content
        places.append(cursor)
        cursor += len(content)
    text, hdr = places[5], places[6]
    table += b"".join(
        struct.pack("<2l", text + start - hdr, 0) for start in [*starts, *([len(code)] if starts else [])]
    )
    body += table
    sections = [(0, 0, 0, 0, 0, 0)]
    sections += [(3, places[0], len(strings.text), 0, 0, 0), (11, places[1], 24 * len(symbols), 1, 1, 24)]
    sections += [
        (6, places[2], 16 * len(dynamic), 1, 0, 16),
        (0x6FFFFFFE, places[3], len(verneed), 1, len(libraries), 0),
    ]
    sections += [(7, places[4], len(note), 0, 0, 0)] if note else []
    end = head + len(body)
    headers = b"".join(
        struct.pack("<2L4Q2L2Q", 0, kind, 0, 0, offset, size, link, info, 0, entry)
        for kind, offset, size, link, info, entry in sections
    )
    segments = struct.pack("<2L6Q", 1, 5, 0, _BASE, 0, end, end, 16)
    segments += struct.pack("<2L6Q", 0x6474E550, 4, hdr, _BASE + hdr, 0, len(table), len(table), 4)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<2HL3QL6H", 3, machine, 1, 0, 64, end, 0, 64, 56, 2, 64, len(sections), 0)
    return header + segments + body + headers + extra


def fatbin(*codes: tuple[int, str, bool], ptx: tuple[int, int] = (8, 7)) -> bytes:
    """Return a container of device code: (architecture, suffix, is PTX) for each entry; the payload is no real code."""
    flags = {"": 0, "a": 0x100000, "f": 0x200000}
    entries = b"".join(
        struct.pack(
            "<2HLQ2L2HL2L3Q", 1 if is_ptx else 2, 0x101, 64, 16, 0, 0, ptx[1], ptx[0], arch, 0, 0, flags[suffix], 0, 0
        )
        + b"\xcc" * 16
        for arch, suffix, is_ptx in codes
    )
    return struct.pack("<LHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


def offload_bundle(*targets: str, compressed: str = "", version: int = 2) -> bytes:
    """Return an offload bundle of clang with an entry for each target; `compressed` is "", "zlib" or "zstd"."""
    entries = b"".join(struct.pack("<3Q", 4096, 0, len(target)) + target.encode() for target in targets)
    plain = b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(targets)) + entries
    if not compressed:
        return plain
    plain += b"\0" * 100_000  # code
    content = zlib.compress(plain) if compressed == "zlib" else zstd.compress(plain)
    sizes = [len(plain)] if version == 1 else [len(content), len(plain)]
    layout = {1: "<4s2HL", 2: "<4s2H2L", 3: "<4s2H2Q"}[version]
    return struct.pack(layout, b"CCOB", version, compressed == "zstd", *sizes) + b"\0" * 8 + content


def offload_package(triple: str, arch: str) -> bytes:
    """Return LLVM's packaging of one image for an architecture."""
    names = [b"triple", triple.encode(), b"arch", arch.encode()]
    table = 32 + 40
    place = table + 32
    offsets = [place + sum(len(name) + 1 for name in names[:index]) for index in range(4)]
    text = b"".join(name + b"\0" for name in names)
    size = place + len(text)
    head = struct.pack("<4sL3Q", b"\x10\xff\x10\xad", 1, size, 32, 40)
    return head + struct.pack("<2HL4Q", 1, 4, 0, table, 2, size, 0) + struct.pack("<4Q", *offsets) + text


def pe(
    *, machine: int = 0x8664, imports: Mapping[str, Sequence[str]] | None = None, exports: Iterable[str] = ()
) -> bytes:
    """Return a 64-bit DLL with an import and an export directory in one section."""
    start, raw = 0x1000, 0x400
    libraries = imports or {}
    body = bytearray(20 * (len(libraries) + 1))
    for number, (library, names) in enumerate(libraries.items()):
        pointers = []
        for name in names:
            pointers.append(start + len(body))
            body += b"\0\0" + name.encode() + b"\0"
        where = start + len(body)
        body += library.encode() + b"\0"
        table = start + len(body)
        body += b"".join(struct.pack("<Q", pointer) for pointer in (*pointers, 0))
        struct.pack_into("<5L", body, 20 * number, table, 0, 0, where, table)
    exported = []
    for name in exports:
        exported.append(start + len(body))
        body += name.encode() + b"\0"
    table = start + len(body)
    body += struct.pack(f"<{len(exported)}L", *exported)
    place = start + len(body)
    body += struct.pack("<2L2H7L", 0, 0, 0, 0, 0, 1, len(exported), len(exported), 0, table, 0)
    directories = struct.pack("<4L", place, 40, start, len(body)).ljust(16 * 8, b"\0")
    optional = struct.pack("<H", 0x20B).ljust(108, b"\0") + struct.pack("<L", 16) + directories
    coff = struct.pack("<2H3L2H", machine, 1, 0, 0, 0, len(optional), 0x2000)
    section = b".rdata\0\0" + struct.pack("<4L", len(body), start, len(body), raw).ljust(32, b"\0")
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<L", 0x40) + b"PE\0\0" + coff + optional + section
    return head.ljust(raw, b"\0") + bytes(body)


def macho(
    *, cpu: int = 0x0100000C, minimum: tuple[int, int] = (11, 0), needed: Iterable[str] = (), imports: Iterable[str] = (),
    exports: Iterable[str] = (), ordinal: int = 0,
) -> bytes:  # fmt: skip
    """Return a thin 64-bit library with LC_BUILD_VERSION, LC_LOAD_DYLIB and a symbol table.

    `ordinal` is the number of the library in which the imports are looked for; 0 for any.
    """
    strings = _Strings()
    symbols = [struct.pack("<L2BHQ", strings.add(f"_{name}"), 0x01, 0, ordinal << 8, 0) for name in imports]
    symbols += [struct.pack("<L2BHQ", strings.add(f"_{name}"), 0x0F, 1, 0, 0) for name in exports]
    commands = [struct.pack("<6L", 0x32, 24, 1, minimum[0] << 16 | minimum[1] << 8, 0, 0)]
    for name in needed:
        text = name.encode().ljust(-(-(len(name) + 1) // 8) * 8, b"\0")
        commands.append(struct.pack("<6L", 0xC, 24 + len(text), 24, 0, 0, 0) + text)
    size = sum(map(len, commands)) + 24
    start = 32 + size
    table = b"".join(symbols)
    commands.append(struct.pack("<6L", 0x2, 24, start, len(symbols), start + len(table), len(strings.text)))
    header = struct.pack("<8L", 0xFEEDFACF, cpu, 0, 6, len(commands), size, 0x80 if ordinal else 0, 0)
    return header + b"".join(commands) + table + strings.text


def fat(*parts: tuple[int, bytes]) -> bytes:
    """Return a universal file of several thin ones, each with its CPU type."""
    place, head, body = 4096, struct.pack(">2L", 0xCAFEBABE, len(parts)), b""
    for cpu, content in parts:
        head += struct.pack(">5L", cpu, 0, place + len(body), len(content), 12)
        body += content.ljust(-(-len(content) // 4096) * 4096, b"\0")
    return head.ljust(place, b"\0") + body


class _Strings:
    def __init__(self) -> None:
        self.text = b"\0"

    def add(self, name: str) -> int:
        place = len(self.text)
        self.text += name.encode() + b"\0"
        return place


def _verneed(strings: _Strings, library: str, names: Sequence[str], more: bool) -> bytes:
    following = 16 + 16 * len(names)
    head = struct.pack("<2H3L", 1, len(names), strings.add(library), 16, following if more else 0)
    return head + b"".join(
        struct.pack("<L2H2L", 0, 0, 2, strings.add(name), 0 if number + 1 == len(names) else 16)
        for number, name in enumerate(names)
    )


def _laid_out(functions: Iterable[bytes]) -> tuple[bytes, list[int]]:
    """Return code in which every function begins at a multiple of 16, and where: the end is the last one."""
    code, starts = b"", []
    for body in functions:
        starts.append(len(code))
        code += body.ljust(-(-len(body) // 16) * 16, b"\x90")
    return code, [*starts, len(code)]


def pe_code(functions: Iterable[bytes]) -> bytes:
    """Return a 64-bit DLL whose table for unwinding lists these functions."""
    code, starts = _laid_out(functions)
    start, raw = 0x1000, 0x400
    table = b"".join(struct.pack("<3L", start + place, start + place + 16, 0) for place in starts)
    body = code + table
    directories = struct.pack("<6L", 0, 0, 0, 0, 0, 0) + struct.pack("<2L", start + len(code), len(table))
    optional = struct.pack("<H", 0x20B).ljust(108, b"\0") + struct.pack("<L", 16) + directories.ljust(16 * 8, b"\0")
    coff = struct.pack("<2H3L2H", 0x8664, 1, 0, 0, 0, len(optional), 0x2000)
    section = b".text\0\0\0" + struct.pack("<4L", len(body), start, len(body), raw).ljust(32, b"\0")
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<L", 0x40) + b"PE\0\0" + coff + optional + section
    return head.ljust(raw, b"\0") + body


def macho_code(functions: Iterable[bytes]) -> bytes:
    """Return a 64-bit Mach-O library for x86-64 whose LC_FUNCTION_STARTS lists these functions."""
    code, starts = _laid_out(functions)
    place = 0x100
    deltas = [place + starts[0], *(after - before for before, after in pairwise(starts))]
    table = b"".join(_uleb128(delta) for delta in deltas) + b"\0" * 7
    command = struct.pack("<4L", 0x26, 16, place + len(code), len(table))
    head = struct.pack("<8L", 0xFEEDFACF, 0x01000007, 3, 6, 1, len(command), 0x85, 0) + command
    return head.ljust(place, b"\0") + code + table


def _uleb128(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def searched(data: bytes, patterns: Iterable[bytes]) -> Found:
    """Return the matches of patterns in all of a file."""
    return find(data, patterns, ((0, len(data)),))
