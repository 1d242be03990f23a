"""ZIP archives as raw bytes: exact places of members, and their content (APPNOTE 6.3).

Offsets and sizes are in bytes from the beginning of the file. zip64 is understood in the end records, in both
headers and in data descriptors; a data offset is always computed from the local header, never from the central
directory, because the two extra fields differ in real wheels.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from variant_publish.archive.directory import (
    CENTRAL,
    DESCRIPTOR,
    ENCRYPTED,
    MAX32,
    ZIP64_EXTRA,
    Directory,
    InvalidArchive,
    Member,
    extra_fields,
    read_directory,
)
from variant_publish.archive.transfer import read_exactly
from variant_publish.errors import VariantPublishError

__all__ = [
    "DEFLATED", "DESCRIPTOR", "ENCRYPTED", "LOCAL", "LOCAL_MAGIC", "STORED",
    "Directory", "InvalidArchive", "Member", "RawArchive", "Span", "laxities", "open_archive",
]  # fmt: skip

LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_MAGIC, _DESCRIPTOR_MAGIC = b"PK\x03\x04", b"PK\x07\x08"

STORED, DEFLATED = 0, 8

_HEAD = struct.Struct("<4s24sH")
"""A local header in three parts; the one in the middle has a twin in the central directory."""

_UNREADABLE = ENCRYPTED | 0x2060
"""Encryption in its three forms, and patches: nothing that a wheel could be read with."""
_ODD_FLAGS = DESCRIPTOR | (_UNREADABLE & 0xFF)

_NEAR, _WINDOW = 16 * 1024, 64 * 1024
"""Local headers closer than the first are read a window at a time: a call costs as much as to copy these bytes."""


class Span(msgspec.Struct, frozen=True):
    """Where a local entry lies: header at `start`, data at `data`; `end` is behind its data descriptor."""

    member: Member
    start: int
    data: int
    end: int


class RawArchive:
    """Read a ZIP archive by position; nothing is kept in memory but the directory.

    Raises InvalidArchive where the file is not a ZIP archive, is truncated, or lies about itself.
    """

    def __init__(self, path: Path, directory: Directory | None = None) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            self.size = os.fstat(self.descriptor).st_size
            fits = directory is not None and directory.start + len(directory.raw) < self.size
            self.directory = directory if directory and fits else read_directory(path, self.size, self.at)
        except BaseException:
            os.close(self.descriptor)
            raise

    def close(self) -> None:
        """Close the file; again does no harm."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> RawArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def at(self, offset: int, length: int) -> bytes:
        """Read exactly `length` bytes at `offset`, or raise InvalidArchive."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise InvalidArchive(self.path, f"is truncated or damaged: {length} bytes at {offset} are not there")
        try:
            return read_exactly(self.descriptor, offset, length)
        except OSError as error:
            raise InvalidArchive(self.path, f"cannot be read ({error.strerror})") from error

    def span(self, member: Member) -> Span:
        """Locate a member's local entry and compare it with the directory."""
        wanted = member.raw[CENTRAL.size : CENTRAL.size + struct.unpack_from("<H", member.raw, 28)[0]]
        header = self.at(member.offset, LOCAL.size + len(wanted))
        magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL.unpack_from(header)
        if magic != LOCAL_MAGIC or header[LOCAL.size :] != wanted or name_length != len(wanted):
            raise InvalidArchive(self.path, f"has no local entry for {member.name!r} where its directory says")
        if method != member.method or (flags | member.flags) & _UNREADABLE:
            raise InvalidArchive(self.path, f"stores {member.name!r} encrypted or in two methods")
        data = member.offset + LOCAL.size + name_length + extra_length
        end = data + member.compressed_size
        if end > self.directory.start:
            raise InvalidArchive(self.path, f"is damaged: {member.name!r} reaches into the central directory")
        if not self._agrees(member, (crc, packed, size), data - extra_length, extra_length, flags):
            raise InvalidArchive(self.path, f"is damaged: the local header of {member.name!r} says something else")
        if flags & DESCRIPTOR:
            end += self._descriptor_length(member, end)
        return Span(member, member.offset, data, end)

    def ends(self) -> array[int]:
        """Every local entry against the directory and give where each ends, in the order of the directory.

        Headers near each other are read together, and one that repeats its entry in the directory byte for byte, as
        most do, is compared as bytes. Raises InvalidArchive where an entry is not there, lies, or overlaps another.
        """
        directory, previous, end = self.directory, -1, 0
        raw, places, offsets, wide = directory.raw, directory.places, directory.offsets, directory.wide
        found = array("Q", bytes(8 * len(directory)))
        window, base, limit = b"", 0, 0
        for rank, index in enumerate(directory.order):
            offset, place = offsets[index], places[index]
            if offset < end:
                one, two = directory.names[previous], directory.names[index]
                raise InvalidArchive(self.path, f"is damaged: {one!r} and {two!r} overlap")
            name = raw[place + 46 : place + 46 + (raw[place + 28] | raw[place + 29] << 8)]
            if offset + LOCAL.size + len(name) > limit:
                window, base = self._window(rank, LOCAL.size + len(name)), offset
                limit = base + len(window)
            magic, head, extras = _HEAD.unpack_from(window, offset - base)
            if (
                head == raw[place + 6 : place + 30]
                and window.startswith(name, offset - base + LOCAL.size)
                and magic == LOCAL_MAGIC
                and not raw[place + 8] & _ODD_FLAGS
                and not (wide and index in wide)
            ):
                end = offset + LOCAL.size + len(name) + extras + directory.packed[index]
            else:
                end = self.span(directory.member(index)).end
            found[index] = end
            previous = index
        if end > directory.start:
            last = directory.names[previous]
            raise InvalidArchive(self.path, f"is damaged: {last!r} reaches into the central directory")
        return found

    def read(self, member: Member, *, limit: int | None = None) -> bytes:
        """Decompress a member and check its CRC-32; `limit` bounds what a lying archive may cost, in bytes."""
        if limit is not None and max(member.size, member.compressed_size) > limit:
            raise InvalidArchive(
                self.path, f"holds {member.name!r} with {member.size} bytes, more than a wheel can have"
            )
        raw = self.at(self.span(member).data, member.compressed_size)
        if member.method == STORED:
            content = raw
        elif member.method == DEFLATED:
            content = self._inflate(member, raw)
        else:
            raise InvalidArchive(self.path, f"compresses {member.name!r} with method {member.method}, not deflate")
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise InvalidArchive(self.path, f"is damaged: {member.name!r} does not match its checksum")
        return content

    def _window(self, rank: int, length: int) -> bytes:
        """Read the local header of a member, and more of the file where another is near."""
        offsets, order = self.directory.offsets, self.directory.order
        start = offsets[order[rank]]
        if rank + 1 < len(order) and offsets[order[rank + 1]] - start < _NEAR:
            length = max(length, min(_WINDOW, self.directory.start - start))
        return self.at(start, length)

    def _agrees(self, member: Member, told: tuple[int, int, int], place: int, length: int, flags: int) -> bool:
        """Return whether CRC and sizes of a local header are those of the directory, or left to a data descriptor."""
        truth = (member.crc, member.compressed_size, member.size)
        if flags & DESCRIPTOR:
            return all(number in (0, MAX32, right & MAX32) for number, right in zip(told, truth, strict=True))
        crc, packed, size = told
        if MAX32 in (packed, size):
            fields = extra_fields(self.at(place, length))
            wide = next((body for kind, body, _ in fields if kind == ZIP64_EXTRA), b"")
            if len(wide) < 16:
                return False
            size, packed = struct.unpack_from("<2Q", wide)
        return (crc, packed, size) == truth

    def _inflate(self, member: Member, raw: bytes) -> bytes:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(raw, member.size + 1)
        except zlib.error as error:
            raise InvalidArchive(self.path, f"is damaged: {member.name!r} does not inflate ({error})") from error
        if not inflater.eof:
            raise InvalidArchive(self.path, f"is damaged: {member.name!r} is longer than its directory says")
        return content

    def _descriptor_length(self, member: Member, offset: int) -> int:
        tail = self.at(offset, max(0, min(24, self.directory.start - offset)))
        short = struct.pack("<3L", member.crc, member.compressed_size & MAX32, member.size & MAX32)
        long = struct.pack("<L2Q", member.crc, member.compressed_size, member.size)
        for candidate in (_DESCRIPTOR_MAGIC + long, _DESCRIPTOR_MAGIC + short, long, short):
            if tail.startswith(candidate):
                return len(candidate)
        raise InvalidArchive(self.path, f"is damaged: the data descriptor of {member.name!r} says something else")


@contextmanager
def open_archive(path: Path, directory: Directory | None = None) -> Iterator[RawArchive]:
    """Open an archive for reading; an OSError becomes a VariantPublishError that names the file.

    `directory` is its central directory, where that has been read.
    """
    try:
        archive = RawArchive(path, directory)
    except OSError as error:
        raise VariantPublishError(f"{path} cannot be read ({error.strerror})", hint="name an existing wheel") from error
    with archive:
        yield archive


def laxities(archive: RawArchive) -> list[str]:
    """Return what strict readers refuse, as uv, which streams: odd compression, bytes of no entry or of two."""
    faults = [
        f"compresses {member.name!r} with method {member.method}"
        for member in archive.directory.members
        if member.method not in (STORED, DEFLATED)
    ]
    faults += [
        f"stores {member.name!r} uncompressed with a data descriptor"
        for member in archive.directory.members
        if member.method == STORED and member.flags & DESCRIPTOR
    ]
    directory = archive.directory
    try:
        ends = archive.ends()
    except InvalidArchive as error:
        return [*faults, error.message.removeprefix(f"{archive.path} ")]
    starts = [*(directory.offsets[index] for index in directory.order), directory.start]
    stops = [0, *(ends[index] for index in directory.order)]
    gaps = [(stop, start) for stop, start in zip(stops, starts, strict=True) if stop != start]
    return [*faults, *(f"has {start - stop} bytes at offset {stop} that belong to no entry" for stop, start in gaps)]
