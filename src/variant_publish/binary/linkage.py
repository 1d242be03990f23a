"""What the libraries of one wheel need of others and have for them: their dynamic symbols.

Exported names are kept as hashes of 64 bits: torch has 79,000 of them. What is kept of a wheel that others depend on is
a summary of these, found again by the wheel's SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec.structs import replace

from variant_publish.archive.inflate import Inflater
from variant_publish.archive.zipraw import open_archive
from variant_publish.binary.content import Buffer, unpacked
from variant_publish.binary.elf import Elf
from variant_publish.binary.image import Format, Image, InvalidBinary, Symbol, format_of
from variant_publish.binary.macho import macho_image, macho_slices
from variant_publish.binary.pe import Pe
from variant_publish.errors import VariantPublishError

_SCHEMA: Literal[2] = 2
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


class Library(msgspec.Struct, frozen=True):
    """One library or extension module of a wheel.

    `soname` is the name by which others need it, `exports` are hashes (`name_hash`), `wanted` the symbols that others
    must define, weak ones left out. `is_read` is False for a file that could not be understood.
    """

    path: str
    format: Format
    soname: str | None = None
    needed: tuple[str, ...] = ()
    exports: frozenset[int] = frozenset()
    wanted: tuple[Symbol, ...] = ()
    is_read: bool = True

    @property
    def names(self) -> frozenset[str]:
        """Return the file names by which others need it; those of Windows in lower case."""
        names = {self.path.rpartition("/")[2], (self.soname or self.path).rpartition("/")[2]}
        return frozenset(name.lower() for name in names) if self.format is Format.PE else frozenset(names)


class Linkage(msgspec.Struct, frozen=True, dict=True):
    """The libraries of one wheel."""

    libraries: tuple[Library, ...]

    @classmethod
    def read(cls, path: Path, *, is_dependency: bool = False) -> Self:
        """Read every library of a wheel; of a dependency, what it wants itself is left out.

        Raises VariantPublishError where the archive cannot be read.
        """
        found = []
        with open_archive(path) as archive:
            inflater = Inflater(archive)
            for member in archive.directory.members:
                if not member.is_folder and not member.name.endswith((".py", ".pyc", ".h", ".hpp", ".cuh")):
                    with unpacked(inflater, member) as content:
                        if content is not None:
                            found.append(_library(member.name, content, wants=not is_dependency))
        return cls(tuple(found))

    @cached_property
    def exports(self) -> frozenset[int]:
        """Return what all libraries export together."""
        return frozenset().union(*(library.exports for library in self.libraries))

    @cached_property
    def by_name(self) -> Mapping[str, Library]:
        """Return the libraries by the file names that others need them by."""
        return {name: library for library in self.libraries for name in library.names}

    def dumps(self) -> bytes:
        """Return the summary; what is wanted is left out."""
        return _ENCODER.encode(_Summary(_SCHEMA, tuple(replace(one, wanted=()) for one in self.libraries)))

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse a summary; raise VariantPublishError where it is none."""
        try:
            return cls(msgspec.msgpack.decode(content, type=_Summary).libraries)
        except (ValueError, RecursionError) as error:
            raise VariantPublishError(f"the summary of symbols is damaged ({error})", hint="remove it") from error


class _Summary(msgspec.Struct):
    schema: Literal[2]
    libraries: Annotated[tuple[Library, ...], msgspec.Meta(max_length=10_000)]


def name_hash(name: str, version: str | None = None) -> int:
    """Return the hash of a symbol, with its version where it has one."""
    text = name if version is None else f"{name}@{version}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")


def _library(path: str, content: Buffer, *, wants: bool) -> Library:
    kind = format_of(content[:8]) or Format.ELF
    try:
        image, symbols = _read(kind, content)
        exports: set[int] = set()
        wanted = []
        for symbol in symbols:
            if not symbol.is_defined:
                if wants and not symbol.is_weak:
                    wanted.append(symbol)
                continue
            exports.add(name_hash(symbol.name))
            if symbol.version is not None:
                exports.add(name_hash(symbol.name, symbol.version))
    except InvalidBinary:
        return Library(path, kind, is_read=False)
    return Library(path, kind, image.soname, image.needed, frozenset(exports), tuple(wanted))


def _read(kind: Format, content: Buffer) -> tuple[Image, Iterable[Symbol]]:
    if kind is Format.ELF:
        elf = Elf(content)
        return elf.image(), elf.symbols()
    if kind is Format.PE:
        pe = Pe(content)
        return pe.image(), pe.symbols()
    return macho_image(content), (symbol for one in macho_slices(content) for symbol in one.symbols())
