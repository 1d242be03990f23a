"""Mach-O files, universal ones too: architectures, minimum macOS, libraries and symbols (Apple's `mach-o/loader.h`)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from variant_publish.binary.content import Buffer
from variant_publish.binary.image import Format, Image, InvalidBinary, Symbol, module_names, names_budget, readable

_CPUS: Mapping[int, str] = {7: "i386", 0x01000007: "x86_64", 0x0100000C: "arm64", 18: "ppc", 0x01000012: "ppc64"}
_ORDERS: Mapping[bytes, tuple[str, int]] = {
    b"\xcf\xfa\xed\xfe": ("<", 64), b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xcf": (">", 64), b"\xfe\xed\xfa\xce": (">", 32),
}  # fmt: skip
_FAT = b"\xca\xfe\xba\xbe"
_SYMTAB, _DYSYMTAB, _ID_DYLIB, _VERSION_MIN, _FUNCTION_STARTS, _BUILD_VERSION = 0x2, 0xB, 0xD, 0x24, 0x26, 0x32
_LOAD_DYLIB = (0xC, 0x20, 0x80000018, 0x8000001F, 0x80000023)
"""Plain, lazy, weak, re-exported and upward ones: the ordinals of symbols count all of them."""
_SEGMENT_64, _INSTRUCTIONS = 0x19, 0x80000000
_MACOS = 1
_TWO_LEVEL = 0x80
_STAB, _PRIVATE, _TYPE, _EXTERNAL, _WEAK_REFERENCE = 0xE0, 0x10, 0x0E, 0x01, 0x40

_MANY_SLICES, _MANY_COMMANDS, _LARGE_COMMANDS, _MANY_SYMBOLS = 20, 4096, 1024 * 1024, 1 << 19
_LARGE_STRINGS, _LONG_NAME = 64 * 1024 * 1024, 64 * 1024


@readable()
def macho_image(data: Buffer) -> Image:
    """Return what the headers of a Mach-O file say; raise InvalidBinary where they contradict themselves."""
    slices = macho_slices(data)
    strong: set[str] = set()
    weak: set[str] = set()
    modules: list[str] = []
    for symbol in (symbol for one in slices for symbol in one.symbols()):
        if symbol.is_defined:
            modules += module_names((symbol.name,))
        else:
            (weak if symbol.is_weak else strong).add(symbol.name)
    return Image(
        format=Format.MACHO,
        architectures=tuple(one.architecture for one in slices),
        needed=tuple(dict.fromkeys(name for one in slices for name in one.libraries)),
        soname=next((one.name for one in slices if one.name), None),
        imports=frozenset(strong),
        weak=frozenset(weak),
        modules=tuple(dict.fromkeys(modules)),
        code=tuple(part for one in slices for part in one.code()),
        macos={one.architecture: one.minimum for one in slices if one.minimum},
    )


@readable()
def macho_slices(data: Buffer) -> tuple[MachO, ...]:
    """Return the parts of a universal file, one for each architecture; the whole file where it is for one."""
    budget = _Budget(len(data))
    if data[:4] != _FAT:
        return (MachO(data, 0, budget),)
    (count,) = struct.unpack(">L", data[4:8])
    if count > _MANY_SLICES:
        raise InvalidBinary(f"it is for {count} architectures, more than the {_MANY_SLICES} that are read")
    rows = (struct.unpack(">5L", data[8 + 20 * number : 28 + 20 * number]) for number in range(count))
    return tuple(MachO(data, offset, budget) for _, _, offset, _, _ in rows)


class MachO:
    """Read the Mach-O file at an offset by position; raises InvalidBinary where it contradicts itself."""

    @readable()
    def __init__(self, data: Buffer, start: int, budget: _Budget) -> None:
        self.data, self.start, self._budget = data, start, budget
        self.order, self.bits = _ORDERS.get(self.data[self.start : self.start + 4], ("", 0))
        if not self.order:
            raise InvalidBinary("its Mach-O header has no known magic number")
        cpu, _, _, count, size, self._flags = self._at("6L", 4)
        self.architecture = _CPUS.get(cpu, f"cpu {cpu:#x}")
        if count > _MANY_COMMANDS or size > _LARGE_COMMANDS:
            raise InvalidBinary(f"it has {count} load commands, more than the {_MANY_COMMANDS} that are read")
        self._commands = tuple(self._read_commands(count, size))

    def _read_commands(self, count: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Return kind and body of each load command."""
        place = self.start + (32 if self.bits == 64 else 28)
        content, place = self.data[place : place + size], 0
        for _ in range(count):
            kind, length = struct.unpack_from(self.order + "2L", content, place)
            if length < 8 or place + length > len(content):
                raise InvalidBinary("its load commands are longer than their table")
            yield kind, content[place + 8 : place + length]
            place += length

    @cached_property
    def libraries(self) -> tuple[str, ...]:
        """Return the libraries that the loader looks for, in the order that symbols count them."""
        return tuple(self._name(body) for kind, body in self._commands if kind in _LOAD_DYLIB)

    @property
    def name(self) -> str | None:
        """Return the install name of a library; None for a module."""
        return next((self._name(body) for kind, body in self._commands if kind == _ID_DYLIB), None)

    @property
    def minimum(self) -> tuple[int, int] | None:
        """Return the minimum macOS: of LC_BUILD_VERSION for macOS, else of LC_VERSION_MIN_MACOSX."""
        for kind, body in self._commands:
            if kind in (_BUILD_VERSION, _VERSION_MIN):
                platform, packed = (
                    self._fields("2L", body) if kind == _BUILD_VERSION else (_MACOS, *self._fields("L", body))
                )
                if platform == _MACOS:
                    return packed >> 16, packed >> 8 & 0xFF
        return None

    def code(self) -> Iterator[tuple[int, int]]:
        """Return where instructions lie, and the table of symbols with its names."""
        for kind, body in self._commands:
            if kind == _SYMTAB:
                place, count, strings, length = self._fields("4L", body)
                yield self.start + place, self.start + place + count * 16
                yield self.start + strings, self.start + strings + length
            elif kind == _SEGMENT_64:
                for _, _, _, size, place, _, _, _, flags, _, _, _ in struct.iter_unpack(
                    self.order + "16s16s2Q8L", body[64 : 64 + (len(body) - 64) // 80 * 80]
                ):
                    if flags & _INSTRUCTIONS:
                        yield self.start + place, self.start + place + size

    def functions(self, limit: int) -> list[int]:
        """Return where functions begin, counted from the header and sorted: LC_FUNCTION_STARTS."""
        found: list[int] = []
        for kind, body in self._commands:
            if kind == _FUNCTION_STARTS:
                place, size = self._fields("2L", body)
                value = address = shift = 0
                for byte in self.data[self.start + place : self.start + place + min(size, limit)]:
                    value |= (byte & 0x7F) << shift
                    shift += 7
                    if shift > 63:
                        break
                    if byte < 0x80:
                        address += value
                        if not value or address >= 1 << 40:
                            break  # the padding at the end
                        found.append(address)
                        value = shift = 0
        return found

    def symbols(self) -> Iterator[Symbol]:
        """Return the external symbols that are not private, without the underscore that C names have."""
        tables = [self._fields("4L", body) for kind, body in self._commands if kind == _SYMTAB]
        if not tables:
            return
        places, count, strings, length = tables[0]
        layout = struct.Struct(self.order + ("L2BHQ" if self.bits == 64 else "L2BHL"))
        names = self.data[self.start + strings : self.start + strings + min(length, _LARGE_STRINGS)]
        for first, number in self._external(count):
            self._budget.spend(number, 0)
            start = self.start + places + first * layout.size
            content = self.data[start : start + number * layout.size]
            for name, kind, _, extra, _ in layout.iter_unpack(content):
                if name and kind & _EXTERNAL and not kind & (_STAB | _PRIVATE):
                    defined = bool(kind & _TYPE)
                    library = None if defined else self._library(extra >> 8)
                    weak = not defined and bool(extra & _WEAK_REFERENCE)
                    end = names.find(b"\0", name, name + _LONG_NAME)
                    self._budget.spend(0, end - name)
                    if end < 0:
                        raise InvalidBinary("one of its names has no end")
                    text = names[name:end].decode("utf-8", "replace").removeprefix("_")
                    yield Symbol(text, defined, weak, None, library)

    def _external(self, count: int) -> Iterable[tuple[int, int]]:
        """Return where external symbols lie in the table of all `count` symbols: first one and number, twice."""
        for kind, body in self._commands:
            if kind == _DYSYMTAB:
                _, _, *external = self._fields("6L", body)
                return (external[0], external[1]), (external[2], external[3])
        return ((0, count),)

    def _library(self, ordinal: int) -> str | None:
        """Return the library that a symbol is looked for in; None where the file names none."""
        if not self._flags & _TWO_LEVEL or not 0 < ordinal <= len(self.libraries):
            return None
        return self.libraries[ordinal - 1]

    def _at(self, layout: str, place: int) -> tuple[int, ...]:
        layout = self.order + layout
        place += self.start
        return struct.unpack(layout, self.data[place : place + struct.calcsize(layout)])

    def _fields(self, layout: str, body: bytes) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, body)

    def _name(self, body: bytes) -> str:
        (place,) = self._fields("L", body)
        return body[max(0, place - 8) :].partition(b"\0")[0].decode("utf-8", "replace")


class _Budget:
    """What is left of the symbols and of the bytes of names that are read of one file, however many parts it has."""

    def __init__(self, size: int) -> None:
        self._symbols, self._names = _MANY_SYMBOLS, names_budget(size)

    def spend(self, symbols: int, names: int) -> None:
        """Take from what is left, or raise InvalidBinary."""
        self._symbols, self._names = self._symbols - symbols, self._names - names
        if self._symbols < 0 or self._names < 0:
            raise InvalidBinary("it has more symbols, or longer ones, than any compiler makes")
