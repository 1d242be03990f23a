"""ZIP archives as raw bytes: the directory, exact spans of members, and copies that never recompress (APPNOTE 6.3).

Offsets and sizes are in bytes from the beginning of the file. zip64 is understood in the end records, in the
central directory and in data descriptors; a data offset is always computed from the local header, never from the
central directory, because the two extra fields differ in real wheels.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64_MAGIC, _LOCATOR64_MAGIC, _DESCRIPTOR_MAGIC = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_ZIP64_EXTRA = 0x0001

ENCRYPTED, DESCRIPTOR, UTF8 = 0x0001, 0x0008, 0x0800
STORED, DEFLATED = 0, 8

_CHUNK = 32 * 1024 * 1024
_NO_KERNEL_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM, errno.ETXTBSY}


class InvalidArchive(VariantPublishError):
    """Report a file that is no ZIP archive, or one whose parts contradict each other."""

    def __init__(self, path: Path, reason: str, *, hint: str = "download or build the wheel again") -> None:
        super().__init__(f"{path} {reason}", hint=hint)


@dataclass(frozen=True, slots=True)
class Member:
    """Hold one entry of the central directory; `raw` are its bytes there."""

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
        """Say whether the entry is a directory entry."""
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class Directory:
    """Hold a whole central directory in its order, where it starts, and the archive's comment."""

    members: tuple[Member, ...]
    start: int
    comment: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """Hold where a local entry lies: header at `start`, data at `data`; `end` is behind its data descriptor."""

    member: Member
    start: int
    data: int
    end: int


class RawArchive:
    """Read a ZIP archive by position; nothing is kept in memory but the directory.

    Raises InvalidArchive where the file is not a ZIP archive, is truncated, or lies about itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            self.size = os.fstat(self._fd).st_size
            self.directory = _read_directory(self)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> RawArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def at(self, offset: int, length: int) -> bytes:
        """Read exactly `length` bytes at `offset`, or raise InvalidArchive."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise InvalidArchive(self.path, f"is truncated or damaged: {length} bytes at {offset} are not there")
        parts = []
        while length:
            part = _read_at(self._fd, length, offset)
            if not part:
                raise InvalidArchive(self.path, "became shorter while it was read")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def span(self, member: Member) -> Span:
        """Locate a member's local entry and hold it against the directory."""
        wanted = member.raw[_CENTRAL.size : _CENTRAL.size + struct.unpack_from("<H", member.raw, 28)[0]]
        header = self.at(member.offset, _LOCAL.size + len(wanted))
        magic, _, flags, method, _, _, _, _, _, name_length, extra_length = _LOCAL.unpack_from(header)
        if magic != _LOCAL_MAGIC or header[_LOCAL.size :] != wanted or name_length != len(wanted):
            raise InvalidArchive(self.path, f"has no local entry for {member.name!r} where its directory says")
        if method != member.method or flags & ENCRYPTED or member.flags & ENCRYPTED:
            raise InvalidArchive(self.path, f"stores {member.name!r} encrypted or in two methods")
        data = member.offset + _LOCAL.size + name_length + extra_length
        end = data + member.compressed_size
        if flags & DESCRIPTOR:
            end += self._descriptor_length(member, end)
        if end > self.directory.start:
            raise InvalidArchive(self.path, f"is damaged: {member.name!r} reaches into the central directory")
        return Span(member, member.offset, data, end)

    def spans(self) -> list[Span]:
        """Locate all members in the order of the file; raise InvalidArchive where two overlap."""
        found = sorted((self.span(member) for member in self.directory.members), key=lambda span: span.start)
        for one, two in pairwise(found):
            if two.start < one.end:
                raise InvalidArchive(self.path, f"is damaged: {one.member.name!r} and {two.member.name!r} overlap")
        return found

    def read(self, member: Member, *, limit: int | None = None) -> bytes:
        """Decompress a member and check its CRC-32; `limit` bounds what a lying archive may cost, in bytes."""
        if limit is not None and member.size > limit:
            raise InvalidArchive(self.path, f"holds {member.name!r} with {member.size} bytes, more than is sane")
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

    def copy_to(self, target: int, offset: int, length: int, advance: Advance) -> None:
        """Append `length` bytes at `offset` to the file descriptor `target`, by the kernel where it can."""
        while length:
            done = _kernel_copy(self._fd, target, offset, min(length, _CHUNK))
            if done == 0:
                piece = self.at(offset, min(length, 1024 * 1024))
                write_all(target, piece)
                done = len(piece)
            advance(done)
            offset, length = offset + done, length - done

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
        tail = self.at(offset, min(24, self.directory.start - offset))
        short = struct.pack("<3L", member.crc, member.compressed_size & _MAX32, member.size & _MAX32)
        long = struct.pack("<L2Q", member.crc, member.compressed_size, member.size)
        for candidate in (_DESCRIPTOR_MAGIC + long, _DESCRIPTOR_MAGIC + short, long, short):
            if tail.startswith(candidate):
                return len(candidate)
        raise InvalidArchive(self.path, f"is damaged: the data descriptor of {member.name!r} says something else")


class RawWriter:
    """Write a gap-free archive to a file descriptor: raw copies first, then new members, then the directory."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._position = 0
        self._central: list[bytes] = []

    def copy(self, source: RawArchive, spans: Sequence[Span], advance: Advance) -> None:
        """Copy members with their local entries as they are; neighbours are copied in one go."""
        for first, last, group in _runs(spans):
            shift = self._position - first
            self._central += [_central_moved(span.member, span.start + shift) for span in group]
            source.copy_to(self._target, first, last - first, advance)
            self._position += last - first

    def copy_renamed(self, source: RawArchive, span: Span, name: str, advance: Advance) -> None:
        """Copy a member's compressed data under another name; its data descriptor becomes plain header fields."""
        member = span.member
        renamed = replace(member, name=name, flags=member.flags & ~DESCRIPTOR)
        self._start(renamed)
        source.copy_to(self._target, span.data, member.compressed_size, advance)
        self._position += member.compressed_size

    def add(self, name: str, content: bytes, like: Member, *, time: int, date: int) -> None:
        """Add a new member with the method and attributes of `like`, and this DOS time and date."""
        packed = content
        if like.method == DEFLATED:
            deflater = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
            packed = deflater.compress(content) + deflater.flush()
        self._start(
            replace(
                like, name=name, flags=0, time=time, date=date,
                crc=zlib.crc32(content), compressed_size=len(packed), size=len(content),
            )
        )  # fmt: skip
        write_all(self._target, packed)
        self._position += len(packed)

    def finish(self, comment: bytes = b"") -> None:
        """Write the central directory and the end records."""
        directory, count, start = b"".join(self._central), len(self._central), self._position
        end = start + len(directory)
        tail = b""
        if count >= _MAX16 or start >= _MAX32 or len(directory) >= _MAX32:
            tail += _END64.pack(_END64_MAGIC, 44, 45, 45, 0, 0, count, count, len(directory), start)
            tail += _LOCATOR64.pack(_LOCATOR64_MAGIC, 0, end, 1)
        shown = min(count, _MAX16)
        tail += _END.pack(
            _END_MAGIC, 0, 0, shown, shown, min(len(directory), _MAX32), min(start, _MAX32), len(comment)
        )  # fmt: skip
        write_all(self._target, directory + tail + comment)
        self._position = end + len(tail) + len(comment)

    def _start(self, member: Member) -> None:
        raw_name, flags = _encoded(member)
        large = max(member.size, member.compressed_size) >= _MAX32
        extra = struct.pack("<2H2Q", _ZIP64_EXTRA, 16, member.size, member.compressed_size) if large else b""
        sizes = (_MAX32, _MAX32) if large else (member.compressed_size, member.size)
        header = _LOCAL.pack(
            _LOCAL_MAGIC, 45 if large else 20, flags, member.method, member.time, member.date,
            member.crc, *sizes, len(raw_name), len(extra),
        )  # fmt: skip
        self._central.append(_central_built(member, raw_name, flags, self._position))
        write_all(self._target, header + raw_name + extra)
        self._position += len(header) + len(raw_name) + len(extra)


@contextmanager
def open_archive(path: Path) -> Iterator[RawArchive]:
    """Open an archive for reading; an OSError becomes a VariantPublishError that names the file."""
    try:
        archive = RawArchive(path)
    except OSError as error:
        raise VariantPublishError(f"{path} cannot be read ({error.strerror})", hint="name an existing wheel") from error
    with archive:
        yield archive


def write_all(target: int, content: bytes) -> None:
    """Write every byte to a file descriptor."""
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]


def _read_at(descriptor: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)  # Windows
    return os.read(descriptor, length)


def _kernel_copy(source: int, target: int, offset: int, length: int) -> int:
    """Copy inside the kernel (reflinks where the file system has them); 0 where it cannot."""
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, length, offset)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
        try:
            return os.sendfile(target, source, offset, length)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    return 0


def _runs(spans: Sequence[Span]) -> Iterator[tuple[int, int, Sequence[Span]]]:
    begin = 0
    for index, span in enumerate(spans):
        if index + 1 == len(spans) or spans[index + 1].start != span.end:
            yield spans[begin].start, span.end, spans[begin : index + 1]
            begin = index + 1


def _encoded(member: Member) -> tuple[bytes, int]:
    flags = member.flags & ~UTF8
    try:
        return member.name.encode("ascii"), flags
    except UnicodeEncodeError:
        return member.name.encode("utf-8"), flags | UTF8


def _central_moved(member: Member, offset: int) -> bytes:
    if offset == member.offset:
        return member.raw
    if offset < _MAX32 and struct.unpack_from("<L", member.raw, 42)[0] != _MAX32:
        return member.raw[:42] + struct.pack("<L", offset) + member.raw[46:]
    name_length = struct.unpack_from("<H", member.raw, 28)[0]
    return _central_built(member, member.raw[46 : 46 + name_length], member.flags, offset)


def _central_built(member: Member, raw_name: bytes, flags: int, offset: int) -> bytes:
    made, needed = struct.unpack_from("<2H", member.raw, 4)
    _, name_length, extra_length, comment_length = struct.unpack_from("<L3H", member.raw, 24)
    extra_start = _CENTRAL.size + name_length
    extra = _without_zip64(member.raw[extra_start : extra_start + extra_length])
    comment = member.raw[extra_start + extra_length : extra_start + extra_length + comment_length]
    internal = struct.unpack_from("<H", member.raw, 36)[0]
    numbers = (member.size, member.compressed_size, offset)
    large = [number for number in numbers if number >= _MAX32]
    if large:
        extra = struct.pack(f"<2H{len(large)}Q", _ZIP64_EXTRA, 8 * len(large), *large) + extra
        needed = max(needed, 45)
    size, packed, place = (min(number, _MAX32) for number in numbers)
    head = _CENTRAL.pack(
        _CENTRAL_MAGIC, made, needed, flags, member.method, member.time, member.date, member.crc, packed, size,
        len(raw_name), len(extra), len(comment), 0, internal, member.external_attributes, place,
    )  # fmt: skip
    return head + raw_name + extra + comment


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        yield kind, extra[position + 4 : position + 4 + length], extra[position : position + 4 + length]
        position += 4 + length


def _without_zip64(extra: bytes) -> bytes:
    return b"".join(whole for kind, _, whole in _extra_fields(extra) if kind != _ZIP64_EXTRA)


def _read_directory(archive: RawArchive) -> Directory:
    path = archive.path
    window = archive.at(max(0, archive.size - _END.size - _MAX16), min(archive.size, _END.size + _MAX16))
    place = window.rfind(_END_MAGIC)
    while place >= 0 and place + _END.size <= len(window):
        comment_length = struct.unpack_from("<H", window, place + 20)[0]
        if place + _END.size + comment_length == len(window):
            break
        place = window.rfind(_END_MAGIC, 0, place)
    else:
        raise InvalidArchive(path, "is not a ZIP archive, or its end is missing")
    end_offset = archive.size - len(window) + place
    _, disk, first_disk, here, count, length, start, _ = _END.unpack_from(window, place)
    comment = window[place + _END.size :]
    if end_offset >= _LOCATOR64.size:
        magic, _, end64_offset, _ = _LOCATOR64.unpack(archive.at(end_offset - _LOCATOR64.size, _LOCATOR64.size))
        if magic == _LOCATOR64_MAGIC:
            end64 = _END64.unpack(archive.at(end64_offset, _END64.size))
            if end64[0] != _END64_MAGIC:
                raise InvalidArchive(path, "is damaged: its zip64 end record is not where the locator says")
            disk, first_disk, here, count, length, start = end64[4:]
            end_offset = end64_offset
    if disk or first_disk or here != count:
        raise InvalidArchive(path, "is split over several disks")
    if start + length != end_offset:
        raise InvalidArchive(path, "is damaged: its central directory is not where its end record says")
    return Directory(tuple(_members(archive, archive.at(start, length), count)), start, comment)


def _members(archive: RawArchive, directory: bytes, count: int) -> Iterator[Member]:
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            raise InvalidArchive(archive.path, "is damaged: its central directory ends too early")
        magic, _, _, *fields = _CENTRAL.unpack_from(directory, position)
        flags, method, time, date, crc, packed, size, names, extras, comments, disk, _, attributes, place = fields
        total = _CENTRAL.size + names + extras + comments
        raw = directory[position : position + total]
        if magic != _CENTRAL_MAGIC or len(raw) != total or disk not in (0, _MAX16):
            raise InvalidArchive(archive.path, "is damaged: its central directory holds something else")
        if _MAX32 in (packed, size, place):
            size, packed, place = _widened(archive, raw[_CENTRAL.size + names :][:extras], size, packed, place)
        name = raw[_CENTRAL.size : _CENTRAL.size + names].decode(
            "utf-8" if flags & UTF8 else "cp437", "surrogateescape"
        )
        yield Member(name, flags, method, time, date, crc, packed, size, place, attributes, raw)
        position += total
    if position != len(directory):
        raise InvalidArchive(archive.path, "is damaged: its central directory holds more than it counts")


def _widened(archive: RawArchive, extra: bytes, *numbers: int) -> Iterator[int]:
    wide = next((body for kind, body, _ in _extra_fields(extra) if kind == _ZIP64_EXTRA), b"")
    for number in numbers:
        if number != _MAX32:
            yield number
        elif len(wide) < 8:
            raise InvalidArchive(archive.path, "is damaged: a zip64 size is missing")
        else:
            yield struct.unpack_from("<Q", wide)[0]
            wide = wide[8:]
