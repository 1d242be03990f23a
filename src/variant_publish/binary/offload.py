"""Device code that clang puts into binaries: offload bundles, plain or compressed, and its newer packaging.

A bundle begins with a list of entries, each with the target that it is for (`hipv4-amdgcn-amd-amdhsa--gfx942`). HIP
compresses bundles ("CCOB", zlib or zstd); only their beginning is inflated. LLVM's newer packaging, with the magic
number 0x10FF10AD, has a table of strings instead.
"""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections.abc import Iterator

import msgspec

from variant_publish.binary.content import Buffer, Found

_PLAIN = b"__CLANG_OFFLOAD_BUNDLE__"
_COMPRESSED = b"CCOB"
_PACKAGED = b"\x10\xff\x10\xad"
SYCL = rb"__CLANG_OFFLOAD_BUNDLE__sycl-([a-z0-9_]{1,64})\0"

_HEADS = {1: struct.Struct("<4x2HL8x"), 2: struct.Struct("<4x2H2L8x"), 3: struct.Struct("<4x2H2Q8x")}
"""The headers of a compressed bundle by their version: version, method, and sizes."""

_ZLIB, _ZSTD = 0, 1
_ENTRY = struct.Struct("<3Q")
_PACKAGE = struct.Struct("<4xL3Q")
_IMAGE = struct.Struct("<2HL4Q")

_HEAD_LIMIT, _INPUT_LIMIT = 16 * 1024, 160 * 1024
"""Bytes of a bundle's beginning that are inflated (its list is in the first page), and of what they are inflated from:
zstd has blocks of 128 KiB."""

_MANY_ENTRIES, _LONGEST = 512, 256


class OffloadTarget(msgspec.Struct, frozen=True, order=True):
    """What one entry of a bundle is for: `kind` like "hipv4" or "sycl", `triple`, and `arch`, with its features off."""

    kind: str
    triple: str
    arch: str

    @classmethod
    def parse(cls, text: str) -> OffloadTarget | None:
        """Parse an entry's name, like hipv4-amdgcn-amd-amdhsa--gfx90a:xnack+; None for the host's entry."""
        kind, _, rest = text.partition("-")
        triple, _, arch = rest.partition("--")
        if kind == "host":
            return None
        if not arch and (match := re.search(r"-(gfx[0-9a-z-]+|sm_[0-9a-z]+)", rest.partition(":")[0])):
            triple, arch = rest[: match.start()], match[1]  # older compilers write one dash
        return cls(kind, triple, arch.partition(":")[0])


def offload_targets(data: Buffer, found: Found) -> frozenset[OffloadTarget]:
    """Return the targets of all device code; the magic numbers may stand anywhere by chance, so odd ones count not."""
    return frozenset(
        target for magic, read in _READERS.items() for place, _ in found[magic] for target in read(data, place)
    )


def sycl_targets(found: Found) -> frozenset[str]:
    """Return what SYCL code is for: "spir64", which drivers compile for any device, "spir64_gen" for some.

    It names sections like bundles, one for each target.
    """
    return frozenset(target.decode() for _, (target,) in found[SYCL])


def _bundle(data: Buffer, start: int) -> Iterator[OffloadTarget]:
    for _, name in _entries(data, start):
        if target := OffloadTarget.parse(name):
            yield target


def _bundle_end(data: Buffer, start: int) -> int:
    """Return where a bundle ends; its beginning where it is none."""
    end = max((end for end, _ in _entries(data, start)), default=start)
    return start if end > len(data) else end


def _compressed_end(data: Buffer, start: int) -> int:
    """Return where a compressed bundle ends; its beginning where it does not say so."""
    _, _, *sizes = _head(data, start)
    return start + sizes[0] if len(sizes) == 2 and start + sizes[0] <= len(data) else start


def _entries(data: Buffer, start: int) -> Iterator[tuple[int, str]]:
    """Return the end and the name of each entry of a bundle."""
    head = data[start : start + len(_PLAIN) + 8]
    if len(head) < len(_PLAIN) + 8:
        return
    (count,) = struct.unpack("<Q", head[len(_PLAIN) :])
    place = start + len(head)
    if count > _MANY_ENTRIES:
        return
    for _ in range(count):
        entry = data[place : place + _ENTRY.size]
        if len(entry) < _ENTRY.size:
            return
        offset, size, length = _ENTRY.unpack(entry)
        if length > _LONGEST:
            return
        name = data[place + _ENTRY.size : place + _ENTRY.size + length]
        place += _ENTRY.size + length
        if not name.isascii() or not name.decode().isprintable():
            return
        yield start + offset + size, name.decode()


def _head(data: Buffer, start: int) -> tuple[int, ...]:
    """Return the size of a compressed bundle's header, its method and sizes; zeros where it is none."""
    layout = _HEADS.get(int.from_bytes(data[start + 4 : start + 6], "little"))
    if layout is None or len(head := data[start : start + layout.size]) < layout.size:
        return 0, 0
    _, method, *sizes = layout.unpack(head)
    return (layout.size, method, *sizes) if method in (_ZLIB, _ZSTD) else (0, 0)


def _compressed(data: Buffer, start: int) -> Iterator[OffloadTarget]:
    size, method, *sizes = _head(data, start)
    if not size or sizes[-1] < len(_PLAIN):
        return
    content = _inflated(data[start + size : start + size + _INPUT_LIMIT], method)
    if content.startswith(_PLAIN):
        yield from _bundle(content, 0)


def _inflated(content: bytes, method: int) -> bytes:
    """Return the beginning of what is compressed; nothing where it is damaged."""
    try:
        if method == _ZLIB:
            return zlib.decompressobj().decompress(content, _HEAD_LIMIT)
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except zlib.error:
        return b""
    try:
        return bytes(zstd.ZstdDecompressor().decompress(content, _HEAD_LIMIT))
    except zstd.ZstdError:
        return b""


def _packaged(data: Buffer, start: int) -> Iterator[OffloadTarget]:
    head = data[start : start + _PACKAGE.size]
    if len(head) < _PACKAGE.size:
        return
    version, size, offset, more = _PACKAGE.unpack(head)
    if version not in (1, 2) or not _PACKAGE.size <= offset < size:
        return
    count = 1 if version == 1 else more  # the size of the one entry, or their number
    for number in range(min(count, _MANY_ENTRIES)):
        place = start + offset + number * _IMAGE.size
        entry = data[place : place + _IMAGE.size]
        if len(entry) < _IMAGE.size:
            return
        _, kind, _, strings, amount, _, _ = _IMAGE.unpack(entry)
        pairs = dict(_strings(data, start, (strings, min(amount, _MANY_ENTRIES)), version))
        if "arch" in pairs:
            name = {1: "openmp", 2: "cuda", 4: "hip", 8: "sycl"}.get(kind, str(kind))
            yield OffloadTarget(name, pairs.get("triple", ""), pairs["arch"].partition(":")[0])


def _strings(data: Buffer, start: int, table: tuple[int, int], version: int) -> Iterator[tuple[str, str]]:
    offset, amount = table
    width = 16 if version == 1 else 24
    for number in range(amount):
        place = start + offset + number * width
        raw = data[place : place + 16]
        if len(raw) < 16:
            return
        key, value = struct.unpack("<2Q", raw)
        yield _text(data, start + key), _text(data, start + value)


def _text(data: Buffer, place: int) -> str:
    raw = data[place : place + _LONGEST].partition(b"\0")[0]
    return raw.decode() if raw.isascii() and raw.decode().isprintable() else ""


_READERS = {
    _PLAIN: _bundle,
    _COMPRESSED: _compressed,
    _PACKAGED: _packaged,
}
BUNDLES = tuple(_READERS)
"""What is to be found in a binary."""

ENDS = {_PLAIN: _bundle_end, _COMPRESSED: _compressed_end}
