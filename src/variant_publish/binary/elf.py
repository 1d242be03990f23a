"""ELF files in memory: what the loader needs, which symbols are wanted, which instruction set is demanded.

A few structures are read, never the whole file, so that a library of a gigabyte costs no more than a small one
(System V ABI, LSB symbol versioning, x86-64 psABI `GNU_PROPERTY_X86_ISA_1_NEEDED`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from variant_publish.binary.image import Buffer, Format, Image, InvalidBinary

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
_DYNAMIC, _NOTE, _DYNSYM, _VERNEED = 6, 7, 11, 0x6FFFFFFE
_DT_NEEDED, _DT_SONAME = 1, 14
_LOAD, _EH_FRAME_HDR = 1, 0x6474E550
_ISA_1_NEEDED = 0xC0008002
_PROPERTY_NOTE = 5
_WEAK, _UNDEFINED = 2, 0
_MODULE = re.compile(rb"\0PyInit(?:U)?_([A-Za-z0-9_]+)(?=\0)")


@dataclass(frozen=True, slots=True)
class Section:
    """One section header."""

    kind: int
    offset: int
    size: int
    link: int
    info: int
    entry: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One program header."""

    kind: int
    flags: int
    offset: int
    address: int
    size: int


class Elf:
    """Read an ELF file by position; raises InvalidBinary where it contradicts itself."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        try:
            self._read_header()
        except (struct.error, IndexError) as error:
            raise InvalidBinary(f"its ELF header is damaged ({error})") from error

    def image(self) -> Image:
        """Return what the headers say."""
        try:
            strings, symbols = self._symbols()
            undefined = [(name, weak) for name, is_undefined, weak in symbols if is_undefined]
            tags = list(self._dynamic())
            return Image(
                format=Format.ELF,
                architectures=(self.architecture,),
                needed=tuple(text for tag, text in tags if tag == _DT_NEEDED),
                soname=next((text for tag, text in tags if tag == _DT_SONAME), None),
                versions=dict(self._needed_versions()),
                imports=frozenset(name for name, weak in undefined if not weak),
                weak=frozenset(name for name, weak in undefined if weak),
                modules=tuple(dict.fromkeys(match.decode() for match in _MODULE.findall(strings))),
                isa=self._isa(),
                cxx11=b"B5cxx11" in strings or b"NSt7__cxx1112basic_string" in strings,
            )
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise InvalidBinary(f"its ELF tables are damaged ({error})") from error

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Return the program headers."""
        found = []
        for number in range(self._segment_count):
            place = self._segment_start + number * self._segment_size
            if self.bits == 64:
                kind, flags, offset, address, _, size = self._at("2L4Q", place)
            else:
                kind, offset, address, _, size, _, flags = self._at("7L", place)
            found.append(Segment(kind, flags, offset, address, size))
        return tuple(found)

    def offset_of(self, address: int) -> int | None:
        """Return where the byte of a virtual address lies in the file."""
        for segment in self.segments:
            if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        return None

    def unwind_table(self) -> Segment | None:
        """Return the segment of `.eh_frame_hdr`, which lists where functions begin."""
        return next((segment for segment in self.segments if segment.kind == _EH_FRAME_HDR), None)

    def _read_header(self) -> None:
        self.bits = {1: 32, 2: 64}[self.data[4]] if self.data[4] in (1, 2) else 0
        self.order = {1: "<", 2: ">"}.get(self.data[5], "")
        if not self.bits or not self.order:
            raise InvalidBinary("its ELF header has no known class or byte order")
        layout = "2HL3QL6H" if self.bits == 64 else "2HL3LL6H"
        fields = self._at(layout, 16)
        _, machine, _, _, self._segment_start, starts, _, _, size, count, sections, number, _ = fields
        self._segment_size, self._segment_count = size, count
        self.architecture = _MACHINES.get((machine, self.bits, self.order), f"machine {machine}, {self.bits} bits")
        self.sections = tuple(self._section(starts + index * sections) for index in range(number)) if starts else ()

    def _section(self, place: int) -> Section:
        _, kind, _, _, offset, size, link, info, _, entry = self._at("2L4Q2L2Q" if self.bits == 64 else "10L", place)
        return Section(kind, offset, size, link, info, entry)

    def _at(self, layout: str, place: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, self.data, place)

    def _of_kind(self, kind: int) -> Iterator[Section]:
        return (section for section in self.sections if section.kind == kind)

    def _strings_of(self, section: Section) -> Buffer:
        strings = self.sections[section.link]
        return self.data[strings.offset : strings.offset + strings.size]

    def _dynamic(self) -> Iterator[tuple[int, str]]:
        for section in self._of_kind(_DYNAMIC):
            strings = self._strings_of(section)
            layout = struct.Struct(self.order + ("qQ" if self.bits == 64 else "lL"))
            content = self.data[section.offset : section.offset + section.size // layout.size * layout.size]
            for tag, value in layout.iter_unpack(content):
                if tag in (_DT_NEEDED, _DT_SONAME):
                    yield tag, _text(strings, value)

    def _symbols(self) -> tuple[Buffer, list[tuple[str, bool, bool]]]:
        """Return string table of the dynamic symbols, and (name, is undefined, is weak) for each that has a name."""
        section = next(self._of_kind(_DYNSYM), None)
        if section is None:
            return b"", []
        strings = self._strings_of(section)
        layout = struct.Struct(self.order + ("L2BH2Q" if self.bits == 64 else "3L2BH"))
        content = self.data[section.offset : section.offset + section.size // layout.size * layout.size]
        found = []
        for fields in layout.iter_unpack(content):
            name, info, shndx = (fields[0], fields[1], fields[3]) if self.bits == 64 else (*fields[0:4:3], fields[5])
            if name and shndx == _UNDEFINED:  # the others are many, and only their names matter
                found.append((_text(strings, name), True, info >> 4 == _WEAK))
        return strings, found

    def _needed_versions(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for section in self._of_kind(_VERNEED):
            strings = self._strings_of(section)
            place = section.offset
            for _ in range(section.info):
                _, count, file, aux, following = self._at("2H3L", place)
                names, inner = [], place + aux
                for _ in range(count):
                    _, _, _, name, step = self._at("L2H2L", inner)
                    names.append(_text(strings, name))
                    inner += step
                yield _text(strings, file), tuple(names)
                place += following

    def _isa(self) -> int | None:
        """Return the x86-64 level that the note demands; its bits are baseline, v2, v3 and v4."""
        if self.architecture != "x86_64":
            return None
        for section in self._of_kind(_NOTE):
            for kind, body in self._notes(section):
                if kind == _PROPERTY_NOTE and (needed := self._property(body, _ISA_1_NEEDED)) is not None:
                    return max(needed.bit_length(), 1)
        return None

    def _notes(self, section: Section) -> Iterator[tuple[int, Buffer]]:
        place, end = section.offset, section.offset + section.size
        while place + 12 <= end:
            names, size, kind = self._at("3L", place)
            body = place + 12 + -(-names // 4) * 4
            if self.data[place + 12 : body].rstrip(b"\0") == b"GNU":
                yield kind, self.data[body : body + size]
            place = body + -(-size // 8) * 8 if kind == _PROPERTY_NOTE else body + -(-size // 4) * 4

    def _property(self, body: Buffer, wanted: int) -> int | None:
        place = 0
        while place + 8 <= len(body):
            kind, size = struct.unpack_from(self.order + "2L", body, place)
            if kind == wanted and size == 4:
                return int(struct.unpack_from(self.order + "L", body, place + 8)[0])
            place += 8 + -(-size // 8) * 8
        return None


def _text(strings: Buffer, place: int) -> str:
    return strings[place : strings.index(b"\0", place)].decode("utf-8", "surrogateescape") if place else ""
