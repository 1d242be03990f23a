"""Image: what one executable file says of itself, whatever its format."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

import msgspec

from variant_publish.errors import VariantPublishError


class InvalidBinary(VariantPublishError):
    """Report a binary that is damaged, or of a kind that is not understood."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, hint="build the file again, or tell what kind of binary it is")


@contextmanager
def readable() -> Iterator[None]:
    """Raise InvalidBinary where a table ends too soon, or a name is none; decorates what reads them."""
    try:
        yield
    except (struct.error, IndexError, ValueError) as error:
        raise InvalidBinary(f"its headers are damaged ({error})") from error


class Format(StrEnum):
    """Name the format of an executable file."""

    ELF = "ELF"
    MACHO = "Mach-O"
    PE = "PE"


class Symbol(NamedTuple):
    """A symbol that the loader binds: one that the file defines for others, or one that others must define.

    `version` is that of ELF's symbol versioning, `library` the one that must have it; None where the file names none.
    """

    name: str
    is_defined: bool
    is_weak: bool = False
    version: str | None = None
    library: str | None = None


class Image(msgspec.Struct, frozen=True):
    """The headers of one executable file.

    `architectures` are spelled as platform tags have them ("x86_64", "aarch64", "arm64", "amd64"). `needed` are the
    libraries that the loader looks for, `versions` maps such a library to the symbol versions that it must have,
    `imports` are the symbols that others must define (those of weak references apart), `modules` the names of the
    extension modules that it is. `macos` maps an architecture to the oldest macOS that it runs on, `isa` is the
    x86-64 level that its note demands (1 to 4), None without a note. `code` says where in the file instructions lie,
    and tables of symbols: no data.
    """

    format: Format
    architectures: tuple[str, ...]
    needed: tuple[str, ...] = ()
    versions: Mapping[str, tuple[str, ...]] = {}
    imports: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()
    soname: str | None = None
    macos: Mapping[str, tuple[int, int]] = {}
    isa: int | None = None
    code: tuple[tuple[int, int], ...] = ()
    cxx11: bool = False


def format_of(head: bytes) -> Format | None:
    """Return the format by the first eight bytes of a file, None where it is no executable file."""
    if head[:4] == b"\x7fELF":
        return Format.ELF
    if head[:4] in _MACHO:
        return Format.MACHO
    if head[:4] == _FAT and 0 < int.from_bytes(head[4:8], "big") < _MANY:  # Java classes have the same first bytes
        return Format.MACHO
    return Format.PE if head[:2] == b"MZ" else None


def names_budget(size: int) -> int:
    """Return how many bytes of names are decoded of a file of `size` bytes: they may overlap."""
    return min(16 * size, 64 * 1024 * 1024)


def module_names(exports: Iterable[str]) -> tuple[str, ...]:
    """Return the extension modules that a file is, by its exported names."""
    found = (match[1] for name in exports if name.startswith("PyInit") and (match := _MODULE.fullmatch(name)))
    return tuple(dict.fromkeys(islice(found, _MANY_MODULES)))


_MACHO = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
_FAT = b"\xca\xfe\xba\xbe"
_MANY = 20
_MODULE = re.compile(r"PyInit(?:U)?_([A-Za-z0-9_]+)")
_MANY_MODULES = 256
