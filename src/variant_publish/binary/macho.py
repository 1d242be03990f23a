"""Mach-O files in memory: architectures, minimum macOS, libraries; read by macholib, fat files too."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from variant_publish.binary.image import Buffer, Format, Image, InvalidBinary

_CPUS: Mapping[int, str] = {7: "i386", 0x01000007: "x86_64", 0x0100000C: "arm64", 18: "ppc", 0x01000012: "ppc64"}
_MACOS = 1
_MODULE = re.compile(rb"\0_PyInit(?:U)?_([A-Za-z0-9_]+)(?=\0)")
_TYPE_MASK, _UNDEFINED, _WEAK_REFERENCE = 0x0E, 0x00, 0x40


def macho_image(data: Buffer) -> Image:
    """Return what the headers of a Mach-O file say; raise InvalidBinary where they contradict themselves."""
    try:
        headers = _in_memory(data).headers
        return Image(
            format=Format.MACHO,
            architectures=tuple(_architecture(header) for header in headers),
            needed=tuple(dict.fromkeys(name for header in headers for name in _needed(header))),
            imports=frozenset(name for header in headers for name, weak in _undefined(header, data) if not weak),
            weak=frozenset(name for header in headers for name, weak in _undefined(header, data) if weak),
            modules=tuple(dict.fromkeys(match.decode() for match in _MODULE.findall(data))),
            macos={_architecture(header): version for header in headers if (version := _minimum(header))},
        )
    except (struct.error, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise InvalidBinary(f"its Mach-O header is damaged ({error})") from error


def _in_memory(data: Buffer) -> Any:
    from macholib.MachO import MachO

    class InMemory(MachO):  # type: ignore[misc]
        """macholib opens a file by its name; this one has the bytes already."""

        def __init__(self) -> None:
            self.graphident = self.filename = self.loader_path = ""
            self.allow_unknown_load_commands = True
            self.fat = None
            self.headers: list[Any] = []
            self.load(BytesIO(data))

    return InMemory()


def _architecture(header: Any) -> str:
    number = int(header.header.cputype) & 0xFFFFFFFF
    return _CPUS.get(number, f"cpu {number:#x}")


def _needed(header: Any) -> Iterator[str]:
    for _, _, name in header.walkRelocatables():
        yield name


def _minimum(header: Any) -> tuple[int, int] | None:
    """Return the minimum macOS: of LC_BUILD_VERSION for macOS, else of LC_VERSION_MIN_MACOSX."""
    from macholib.mach_o import LC_BUILD_VERSION, LC_VERSION_MIN_MACOSX

    for command, body, _ in header.commands:
        if command.cmd == LC_BUILD_VERSION and int(body.platform) == _MACOS:
            packed = int(body.minos)
        elif command.cmd == LC_VERSION_MIN_MACOSX:
            packed = int(body.version)
        else:
            continue
        return packed >> 16, packed >> 8 & 0xFF
    return None


def _undefined(header: Any, data: Buffer) -> Iterator[tuple[str, bool]]:
    """Return name (without the underscore that C names have) and weakness of the symbols that others must define."""
    from macholib.mach_o import LC_SYMTAB

    wide = int(header.header.magic) in (0xFEEDFACF, 0xCFFAEDFE)
    layout = struct.Struct(header.endian + ("L2BHQ" if wide else "L2BHL"))
    for command, body, _ in header.commands:
        if command.cmd != LC_SYMTAB:
            continue
        start, strings = header.offset + int(body.symoff), header.offset + int(body.stroff)
        for place in range(start, start + int(body.nsyms) * layout.size, layout.size):
            name, kind, _, extra, _ = layout.unpack_from(data, place)
            if kind & _TYPE_MASK == _UNDEFINED and kind & 1 and name:
                text = data[strings + name : data.index(b"\0", strings + name)].decode("utf-8", "replace")
                yield text.removeprefix("_"), bool(extra & _WEAK_REFERENCE)
