"""The central directory of a ZIP archive, read with `struct` into columns (APPNOTE 4.3.12 to 4.3.16, zip64 included).

A wheel may have 15,000 members, so there is no object for each: a position in the raw bytes, an offset, a size and a
name are all that a copy needs. `Member` is built for the few that are looked at.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from variant_publish.errors import VariantPublishError

CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
CENTRAL_MAGIC, END_MAGIC = b"PK\x01\x02", b"PK\x05\x06"
END64_MAGIC, LOCATOR64_MAGIC = b"PK\x06\x06", b"PK\x06\x07"
MAX16, MAX32 = 0xFFFF, 0xFFFFFFFF
ZIP64_EXTRA = 0x0001

ENCRYPTED, DESCRIPTOR, UTF8 = 0x0001, 0x0008, 0x0800

_COLUMNS = struct.Struct("<4s4xH10x2L4H6xL")
"""The fields of an entry that every copy looks at: magic, flags, sizes, lengths, disk, offset."""

_SANE_LENGTH = 128 * 1024 * 1024
"""Bytes of a directory of a million members; more of it is a lie that would only fill the memory."""


class InvalidArchive(VariantPublishError):
    """Report a file that is no ZIP archive, or one whose parts contradict each other."""

    def __init__(self, path: Path, reason: str, *, hint: str = "download or build the wheel again") -> None:
        super().__init__(f"{path} {reason}", hint=hint)


class Member(msgspec.Struct, frozen=True):
    """One entry of the central directory; `raw` are its bytes there."""

    name: str
    flags: int
    method: int
    time: int
    date: int
    crc: int
    compressed_size: int
    size: int
    offset: int
    external_attributes: int
    raw: bytes

    @property
    def is_folder(self) -> bool:
        """Return whether the entry is a directory entry."""
        return self.name.endswith("/")


class Directory(msgspec.Struct, frozen=True, dict=True):
    """A whole central directory in its order: the bytes, where they start, and the archive's comment.

    The columns have one item for each member: `places` in `raw` (and one more, behind the last), `offsets` of the
    local headers, `packed` sizes and `names`. `wide` are the members that need zip64.
    """

    path: Path
    raw: bytes
    start: int
    comment: bytes
    places: array[int] = msgspec.field(default_factory=lambda: array("Q", [0]))
    offsets: array[int] = msgspec.field(default_factory=lambda: array("Q"))
    packed: array[int] = msgspec.field(default_factory=lambda: array("Q"))
    names: list[str] = []
    wide: set[int] = set()

    @classmethod
    def parse(cls, path: Path, raw: bytes, count: int, start: int, comment: bytes) -> Directory:
        """Parse the bytes; raise InvalidArchive where they are not `count` entries."""
        new = cls(path, raw, start, comment)
        position = 0
        for index in range(count):
            try:
                magic, flags, packed, size, names, extras, comments, disk, offset = _COLUMNS.unpack_from(raw, position)
            except struct.error as error:
                raise InvalidArchive(path, "is damaged: its central directory ends too early") from error
            body = position + CENTRAL.size
            position = body + names + extras + comments
            if magic != CENTRAL_MAGIC or position > len(raw) or disk not in (0, MAX16):
                raise InvalidArchive(path, "is damaged: its central directory holds something else")
            if MAX32 in (packed, size, offset):
                new.wide.add(index)
                extra = raw[body + names : body + names + extras]
                size, packed, offset = _widened(path, extra, size, packed, offset)
            new.places.append(position)
            new.offsets.append(offset)
            new.packed.append(packed)
            new.names.append(_decoded(raw[body : body + names], flags))
        if position != len(raw):
            raise InvalidArchive(path, "is damaged: its central directory holds more than it counts")
        return new

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def order(self) -> list[int]:
        """Return the members in the order of the file."""
        return sorted(range(len(self)), key=self.offsets.__getitem__)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Return every member as an object, in the order of the directory."""
        return tuple(self.member(index) for index in range(len(self)))

    def member(self, index: int) -> Member:
        """Return one member as an object."""
        raw = self.raw[self.places[index] : self.places[index + 1]]
        _, _, _, flags, method, time, date, crc, packed, size, names, extras, _, _, _, attributes, offset = (
            CENTRAL.unpack_from(raw)
        )
        if index in self.wide:
            extra = raw[CENTRAL.size + names :][:extras]
            size, packed, offset = _widened(self.path, extra, size, packed, offset)
        return Member(
            self.names[index], flags, method, time, date, crc, packed, size, offset, attributes, raw
        )  # fmt: skip

    def inside(self, folder: str) -> dict[str, int]:
        """Return the members of a folder, the last one where a name is there twice: name -> index."""
        prefix = f"{folder}/"
        return {name: index for index, name in enumerate(self.names) if name.startswith(prefix)}


def read_directory(path: Path, size: int, at: Callable[[int, int], bytes]) -> Directory:
    """Find and parse the central directory of a file of `size` bytes; `at` reads a length at an offset."""
    window = at(max(0, size - END.size - MAX16), min(size, END.size + MAX16))
    place = window.rfind(END_MAGIC)
    while place >= 0 and place + END.size <= len(window):
        comment_length = struct.unpack_from("<H", window, place + 20)[0]
        if place + END.size + comment_length == len(window):
            break
        place = window.rfind(END_MAGIC, 0, place)
    else:
        raise InvalidArchive(path, "is not a ZIP archive, or its end is missing")
    end = size - len(window) + place
    _, disk, first_disk, here, count, length, start, _ = END.unpack_from(window, place)
    if end >= LOCATOR64.size:
        magic, _, end64, _ = LOCATOR64.unpack(at(end - LOCATOR64.size, LOCATOR64.size))
        if magic == LOCATOR64_MAGIC:
            magic, *_, disk, first_disk, here, count, length, start = END64.unpack(at(end64, END64.size))
            if magic != END64_MAGIC:
                raise InvalidArchive(path, "is damaged: its zip64 end record is not where the locator says")
            end = end64
    if disk or first_disk or here != count:
        raise InvalidArchive(path, "is split over several disks")
    if start + length != end:
        raise InvalidArchive(path, "is damaged: its central directory is not where its end record says")
    if count * CENTRAL.size > length or length > _SANE_LENGTH:
        raise InvalidArchive(
            path, f"has a central directory of {length} bytes for {count} members, which cannot be right"
        )
    return Directory.parse(path, at(start, length), count, start, window[place + END.size :])


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Return kind, body and whole of each extra field."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        yield kind, extra[position + 4 : position + 4 + length], extra[position : position + 4 + length]
        position += 4 + length


def _decoded(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    return name.decode("utf-8" if flags & UTF8 else "cp437", "surrogateescape")


def _widened(path: Path, extra: bytes, *numbers: int) -> Iterator[int]:
    wide = next((body for kind, body, _ in extra_fields(extra) if kind == ZIP64_EXTRA), b"")
    for number in numbers:
        if number != MAX32:
            yield number
        elif len(wide) < 8:
            raise InvalidArchive(path, "is damaged: a zip64 size is missing")
        else:
            yield struct.unpack_from("<Q", wide)[0]
            wide = wide[8:]
