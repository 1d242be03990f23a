"""ELF files: what the loader needs, which symbols are wanted, which instruction set is demanded.

A few tables are read, never the whole file, so that a library of a gigabyte costs no more than a small one
(System V ABI, LSB symbol versioning, x86-64 psABI `GNU_PROPERTY_X86_ISA_1_NEEDED`). Of each kind of table the first one
counts, as for the loader, and each has a budget: counts and offsets in a file may be lies.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Literal

import msgspec

from variant_publish.binary.content import Buffer
from variant_publish.binary.image import Format, Image, InvalidBinary, Symbol, module_names, names_budget, readable

_MACHINES: Mapping[tuple[int, int, str], str] = {
    (3, 32, "<"): "i686",
    (62, 64, "<"): "x86_64",
    (183, 64, "<"): "aarch64",
    (40, 32, "<"): "armv7l",
    (21, 64, "<"): "ppc64le",
    (21, 64, ">"): "ppc64",
    (22, 64, ">"): "s390x",
    (243, 64, "<"): "riscv64",
    (258, 64, "<"): "loongarch64",
}
_DYNAMIC, _NOTE, _DYNSYM, _VERDEF, _VERNEED, _VERSYM = 6, 7, 11, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_STRINGS, _NO_BYTES, _LINKED, _EXECUTED = 3, 8, (2, 4, 9, _DYNSYM, 0x6FFFFFF6, 0x70000001), 4
_DT_NEEDED, _DT_SONAME = 1, 14
_LOAD, _EH_FRAME_HDR = 1, 0x6474E550
_ISA_1_NEEDED = 0xC0008002
_PROPERTY_NOTE = 5
_LOCAL, _WEAK = 0, 2
_HIDDEN = (1, 2)
_BASE_VERSION = 1
_ORDERS: Mapping[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
_MODULE = re.compile(rb"\0(PyInit(?:U)?_[A-Za-z0-9_]+)(?=\0)")

_MANY_SYMBOLS, _MANY_LIBRARIES, _MANY_VERSIONS, _MANY_SEGMENTS = 1 << 19, 4096, 4096, 256
_LARGE_STRINGS = 64 * 1024 * 1024
_LONG_NAME = 64 * 1024
_LARGE_NOTE, _MANY_NOTES = 64 * 1024, 64


class SectionHeader(msgspec.Struct, frozen=True):
    """Where a section lies, and what kind it is."""

    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int

    @property
    def is_data(self) -> bool:
        """Return whether it may hold what is no code and of no linker: strings, code of other processors."""
        return not (self.flags & _EXECUTED or self.kind in _LINKED or (self.kind == _STRINGS and not self.flags))


class ProgramHeader(msgspec.Struct, frozen=True):
    """Where a segment lies in the file and in memory."""

    kind: int
    flags: int
    offset: int
    address: int
    size: int


class Elf:
    """Read an ELF file by position; raises InvalidBinary where it contradicts itself."""

    @readable()
    def __init__(self, data: Buffer) -> None:
        self.data = data
        self._names_left = names_budget(len(data))
        kind, order = self.data[4:5], self.data[5:6]
        self.bits, self.order = {b"\1": 32, b"\2": 64}.get(kind, 0), {b"\1": "<", b"\2": ">"}.get(order, "")
        if not self.bits or not self.order:
            raise InvalidBinary("its ELF header has no known class or byte order")
        header = struct.Struct(self.order + ("2HL3QL6H" if self.bits == 64 else "2HL3LL6H"))
        _, machine, _, _, self._segment_start, starts, _, _, size, count, sections, number, _ = self._at(header, 16)
        self._segment_size, self._segment_count = size, count
        self.architecture = _MACHINES.get((machine, self.bits, self.order), f"machine {machine}, {self.bits} bits")
        layout = struct.Struct(self.order + ("2L4Q2L2Q" if self.bits == 64 else "10L"))
        self.sections = tuple(
            SectionHeader(kind, flags, offset, size, link, info)
            for _, kind, flags, _, offset, size, link, info, _, _ in (
                self._at(layout, starts + index * sections) for index in range(number if starts else 0)
            )
        )

    @readable()
    def image(self) -> Image:
        """Return what the headers say."""
        strings = self._dynamic_strings
        undefined = [(symbol.name, symbol.is_weak) for symbol in self._symbols(defined=False)]
        tags = list(self._dynamic())
        return Image(
            format=Format.ELF,
            architectures=(self.architecture,),
            needed=tuple(text for tag, text in tags if tag == _DT_NEEDED),
            soname=next((text for tag, text in tags if tag == _DT_SONAME), None),
            versions=self._needed_versions()[0],
            imports=frozenset(name for name, weak in undefined if not weak),
            weak=frozenset(name for name, weak in undefined if weak),
            modules=module_names(match[1].decode() for match in _MODULE.finditer(strings)),
            isa=self._isa(),
            code=tuple(
                (one.offset, one.offset + one.size)
                for one in self.sections
                if one.kind != _NO_BYTES and not one.is_data
            ),
            cxx11=b"B5cxx11" in strings or b"NSt7__cxx1112basic_string" in strings,
        )

    @readable()
    def symbols(self) -> tuple[Symbol, ...]:
        """Return the dynamic symbols, local and hidden ones left out."""
        return tuple(self._symbols())

    @cached_property
    @readable()
    def segments(self) -> tuple[ProgramHeader, ...]:
        """Return the program headers."""
        layout = struct.Struct(self.order + ("2L4Q" if self.bits == 64 else "7L"))
        found = []
        for number in range(self._segment_count):
            fields = self._at(layout, self._segment_start + number * self._segment_size)
            if self.bits == 64:
                kind, flags, offset, address, _, size = fields
            else:
                kind, offset, address, _, size, _, flags = fields
            found.append(ProgramHeader(kind, flags, offset, address, size))
        return tuple(found)

    def offset_of(self, address: int) -> int | None:
        """Return where the byte of a virtual address lies in the file."""
        for segment in self._loaded:
            if segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        return None

    def address_of(self, offset: int) -> int | None:
        """Return the virtual address of a byte of the file."""
        for segment in self._loaded:
            if segment.offset <= offset < segment.offset + segment.size:
                return offset - segment.offset + segment.address
        return None

    def unwind_table(self) -> ProgramHeader | None:
        """Return the segment of `.eh_frame_hdr`, which lists where functions begin."""
        return next((segment for segment in self.segments if segment.kind == _EH_FRAME_HDR), None)

    def code_end(self) -> int | None:
        """Return the address of the last byte of its code; None where no section is code."""
        ends = [one.offset + one.size for one in self.sections if one.flags & _EXECUTED and one.kind != _NO_BYTES]
        return self.address_of(max(ends) - 1) if ends else None

    @cached_property
    def _loaded(self) -> tuple[ProgramHeader, ...]:
        return tuple(segment for segment in self.segments if segment.kind == _LOAD)[:_MANY_SEGMENTS]

    def _at(self, layout: struct.Struct, place: int) -> tuple[int, ...]:
        return layout.unpack(self.data[place : place + layout.size])

    def _first(self, kind: int) -> SectionHeader | None:
        return next((section for section in self.sections if section.kind == kind), None)

    def _content(self, section: SectionHeader | None, limit: int) -> bytes:
        if section is None:
            return b""
        if section.size > limit:
            raise InvalidBinary(f"it has a table of {section.size} bytes, more than the {limit} that are read")
        return self.data[section.offset : section.offset + section.size]

    def _rows(self, section: SectionHeader | None, layout: struct.Struct, limit: int) -> Iterator[tuple[int, ...]]:
        content = self._content(section, limit * layout.size)
        return layout.iter_unpack(content[: len(content) // layout.size * layout.size])

    @cached_property
    def _dynamic_strings(self) -> bytes:
        """Return the string table of the dynamic symbols, which is that of the other dynamic tables too."""
        section = self._first(_DYNSYM) or self._first(_DYNAMIC)
        return b"" if section is None else self._content(self.sections[section.link], _LARGE_STRINGS)

    def _text(self, place: int) -> str:
        if not place:
            return ""
        end = self._dynamic_strings.find(b"\0", place, place + _LONG_NAME)
        self._names_left -= end - place
        if end < 0 or self._names_left < 0:
            raise InvalidBinary("its names have no end, or are longer than any compiler makes them")
        return self._dynamic_strings[place:end].decode("utf-8", "surrogateescape")

    def _dynamic(self) -> Iterator[tuple[int, str]]:
        layout = struct.Struct(self.order + ("qQ" if self.bits == 64 else "lL"))
        for tag, value in self._rows(self._first(_DYNAMIC), layout, _MANY_LIBRARIES):
            if tag in (_DT_NEEDED, _DT_SONAME):
                yield tag, self._text(value)

    def _symbols(self, *, defined: bool = True) -> Iterator[Symbol]:
        """Return the dynamic symbols that have a name; without `defined` those alone that others must define."""
        layout = struct.Struct(self.order + ("L2BH2Q" if self.bits == 64 else "3L2BH"))
        _, wanted = self._needed_versions() if defined else ({}, {})
        own = self._defined_versions() if defined else {}
        numbers = self._content(self._first(_VERSYM), 2 * _MANY_SYMBOLS) if defined else b""
        for index, fields in enumerate(self._rows(self._first(_DYNSYM), layout, _MANY_SYMBOLS)):
            name, info, other, shndx = fields[:4] if self.bits == 64 else (fields[0], *fields[3:6])
            if not name or info >> 4 == _LOCAL or (shndx and (not defined or other & 3 in _HIDDEN)):
                continue
            weak = info >> 4 == _WEAK
            number = int.from_bytes(numbers[2 * index : 2 * index + 2], _ORDERS[self.order]) & 0x7FFF
            if shndx:
                yield Symbol(self._text(name), True, weak, own.get(number))
            else:
                library, version = wanted.get(number, (None, None))
                yield Symbol(self._text(name), False, weak, version, library)

    def _needed_versions(self) -> tuple[dict[str, tuple[str, ...]], dict[int, tuple[str, str]]]:
        """Return the versions that each library must have, and library and version by their numbers in `.gnu.version`.

        Each entry of the table has 16 bytes, so that the size of the section bounds all counts.
        """
        section = self._first(_VERNEED)
        heads, auxes = struct.Struct(self.order + "2H3L"), struct.Struct(self.order + "L2H2L")
        libraries: dict[str, tuple[str, ...]] = {}
        numbers: dict[int, tuple[str, str]] = {}
        left = min(section.size // heads.size, _MANY_VERSIONS) if section else 0
        place = section.offset if section else 0
        for _ in range(section.info if section else 0):
            _, count, file, aux, following = self._at(heads, place)
            library, names, inner = self._text(file), [], place + aux
            for _ in range(count):
                if (left := left - 1) < 0:
                    raise InvalidBinary("it needs more symbol versions than their table has")
                _, _, number, name, step = self._at(auxes, inner)
                names.append(self._text(name))
                numbers[number & 0x7FFF] = library, names[-1]
                inner += step
            libraries[library] = tuple(names)
            place += following
            if not following:
                break
        return libraries, numbers

    def _defined_versions(self) -> dict[int, str]:
        """Return the versions that the file defines, by their numbers; the first is the name of the file itself."""
        section = self._first(_VERDEF)
        layout = struct.Struct(self.order + "4H3L")
        found: dict[int, str] = {}
        place = section.offset if section else 0
        for _ in range(min(section.info, section.size // layout.size, _MANY_VERSIONS) if section else 0):
            _, flags, number, _, _, aux, following = self._at(layout, place)
            if not flags & _BASE_VERSION:
                found[number & 0x7FFF] = self._text(*self._at(struct.Struct(self.order + "L"), place + aux))
            place += following
        return found

    def _isa(self) -> int | None:
        """Return the x86-64 level that the note demands; its bits are baseline, v2, v3 and v4."""
        if self.architecture != "x86_64":
            return None
        notes = (section for section in self.sections if section.kind == _NOTE and section.size <= _LARGE_NOTE)
        for section in islice(notes, _MANY_NOTES):
            for kind, body in self._notes(section):
                if kind == _PROPERTY_NOTE and (needed := self._property(body, _ISA_1_NEEDED)) is not None:
                    return max(needed.bit_length(), 1)
        return None

    def _notes(self, section: SectionHeader) -> Iterator[tuple[int, bytes]]:
        content, place = self._content(section, _LARGE_NOTE), 0
        while place + 12 <= len(content):
            names, size, kind = struct.unpack_from(self.order + "3L", content, place)
            body = place + 12 + -(-names // 4) * 4
            if content[place + 12 : body].rstrip(b"\0") == b"GNU":
                yield kind, content[body : body + size]
            place = body + -(-size // 8) * 8 if kind == _PROPERTY_NOTE else body + -(-size // 4) * 4

    def _property(self, body: bytes, wanted: int) -> int | None:
        place = 0
        while place + 8 <= len(body):
            kind, size = struct.unpack_from(self.order + "2L", body, place)
            if kind == wanted and size == 4:
                return int(struct.unpack_from(self.order + "L", body, place + 8)[0])
            place += 8 + -(-size // 8) * 8
        return None
