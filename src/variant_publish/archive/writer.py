"""Write a gap-free archive: raw copies first, then new members, then the directory, rewritten as bytes."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from variant_publish.archive.directory import (
    CENTRAL,
    CENTRAL_MAGIC,
    DESCRIPTOR,
    END,
    END64,
    END64_MAGIC,
    END_MAGIC,
    LOCATOR64,
    LOCATOR64_MAGIC,
    MAX16,
    MAX32,
    UTF8,
    ZIP64_EXTRA,
    Directory,
    Member,
    extra_fields,
)
from variant_publish.archive.transfer import Sink
from variant_publish.archive.zipraw import DEFLATED, LOCAL, LOCAL_MAGIC, RawArchive
from variant_publish.progress import Advance

_PAGE = 4096
_PADDING = struct.Struct("<3H")
_PADDING_EXTRA = 0xD935
_WORTH_PADDING = 4 * 1024 * 1024


class Packed(msgspec.Struct, frozen=True):
    """A new member, compressed; the offset of `member` means nothing yet."""

    member: Member
    data: bytes

    @classmethod
    def of(cls, name: str, content: bytes, like: Member, *, time: int, date: int) -> Packed:
        """Compress a new member with the method and attributes of `like`, and this DOS time and date."""
        data = content
        if like.method == DEFLATED:
            deflater = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
            data = deflater.compress(content) + deflater.flush()
        crc, packed, size = zlib.crc32(content), len(data), len(content)
        member = replace(
            like, name=name, flags=0, time=time, date=date, crc=crc, compressed_size=packed, size=size
        )  # fmt: skip
        return cls(member, data)


class RawWriter:
    """Append members to a sink and keep the directory that goes behind them."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._central = bytearray()
        self._count = 0

    def keep(self, directory: Directory, indices: Sequence[int]) -> None:
        """Take members into the directory that lie in the file already, where they are."""
        self._list(directory, indices, 0)

    def copy(self, source: RawArchive, indices: Sequence[int], ends: array[int], advance: Advance) -> None:
        """Copy members with their local entries as they are; neighbours are copied in one go."""
        offsets = source.directory.offsets
        for run in _runs(indices, offsets, ends):
            first, last = offsets[run[0]], ends[run[-1]]
            shift = self._sink.position - first
            start, header = opening(source, first, last - first, self._sink.position)
            self._list(source.directory, run[:1], shift)
            self._list(source.directory, run[1:], shift + len(header) - (start - first))
            self._sink.copy(source.descriptor, start, last - start, advance, header)

    def copy_renamed(self, source: RawArchive, member: Member, name: str, advance: Advance) -> None:
        """Copy a member's compressed data under another name; its data descriptor becomes plain header fields."""
        data = source.span(member).data
        self._start(replace(member, name=name, flags=member.flags & ~DESCRIPTOR))
        self._sink.copy(source.descriptor, data, member.compressed_size, advance)

    def add(self, packed: Packed) -> None:
        """Add a new member."""
        self._start(packed.member)
        self._sink.write(packed.data)

    def finish(self, comment: bytes = b"") -> None:
        """Write the central directory and the end records."""
        start, length, count = self._sink.position, len(self._central), self._count
        self._sink.write(self._central)
        if count >= MAX16 or start >= MAX32 or length >= MAX32:
            end64 = END64.pack(END64_MAGIC, 44, 45, 45, 0, 0, count, count, length, start)
            self._sink.write(end64 + LOCATOR64.pack(LOCATOR64_MAGIC, 0, start + length, 1))
        shown = min(count, MAX16)
        end = END.pack(END_MAGIC, 0, 0, shown, shown, min(length, MAX32), min(start, MAX32), len(comment))
        self._sink.write(end + comment)
        self._sink.flush()

    def _list(self, directory: Directory, indices: Sequence[int], shift: int) -> None:
        """Take entries of the directory over, each with its offset moved by `shift`."""
        places, offsets = directory.places, directory.offsets
        self._count += len(indices)
        if directory.wide or (indices and offsets[indices[-1]] + shift >= MAX32):
            for index in indices:
                self._central += _moved(directory.member(index), offsets[index] + shift)
            return
        for group in _groups(indices):
            first = places[group[0]]
            chunk = bytearray(directory.raw[first : places[group[-1] + 1]])
            if shift:
                for index in group:
                    struct.pack_into("<L", chunk, places[index] - first + 42, offsets[index] + shift)
            self._central += chunk

    def _start(self, member: Member) -> None:
        raw_name, flags = _encoded(member)
        large = max(member.size, member.compressed_size) >= MAX32
        extra = struct.pack("<2H2Q", ZIP64_EXTRA, 16, member.size, member.compressed_size) if large else b""
        sizes = (MAX32, MAX32) if large else (member.compressed_size, member.size)
        header = LOCAL.pack(
            LOCAL_MAGIC, 45 if large else 20, flags, member.method, member.time, member.date,
            member.crc, *sizes, len(raw_name), len(extra),
        )  # fmt: skip
        self._central += _built(member, raw_name, flags, self._sink.position)
        self._count += 1
        self._sink.write(header + raw_name + extra)


def opening(source: RawArchive, first: int, length: int, position: int) -> tuple[int, bytes]:
    """Return where to copy from, and the bytes before it, so that a run of members goes to `position`.

    A kernel shares or copies whole pages. Where a long run would lie otherwise to them than before, its first local
    header grows by an extra field of padding, the one that zipalign writes, and everything behind it fits again.
    """
    pad = (first - position) % _PAGE
    if length < _WORTH_PADDING or pad == 0:
        return first, b""
    pad += _PAGE if pad < _PADDING.size else 0
    header = source.at(first, LOCAL.size)
    names, extras = struct.unpack_from("<2H", header, 26)
    fields = source.at(first + LOCAL.size, names + extras)
    if sum(len(whole) for _, _, whole in extra_fields(fields[names:])) != extras or extras + pad > MAX16:
        return first, b""  # no well-formed field could follow
    padding = _PADDING.pack(_PADDING_EXTRA, pad - 4, _PAGE) + bytes(pad - _PADDING.size)
    grown = header[:28] + struct.pack("<H", extras + pad)
    return first + LOCAL.size + names + extras, grown + fields + padding


def _runs(indices: Sequence[int], offsets: array[int], ends: array[int]) -> Iterator[Sequence[int]]:
    """Cut members, given in the order of the file, where one does not begin at the end of the one before."""
    begin = 0
    for rank in range(1, len(indices) + 1):
        if rank == len(indices) or offsets[indices[rank]] != ends[indices[rank - 1]]:
            yield indices[begin:rank]
            begin = rank


def _groups(indices: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut members where one is not the next in the directory."""
    begin = 0
    for rank in range(1, len(indices) + 1):
        if rank == len(indices) or indices[rank] != indices[rank - 1] + 1:
            yield indices[begin:rank]
            begin = rank


def _encoded(member: Member) -> tuple[bytes, int]:
    flags = member.flags & ~UTF8
    try:
        return member.name.encode("ascii"), flags
    except UnicodeEncodeError:
        return member.name.encode("utf-8", "surrogateescape"), flags | UTF8


def _moved(member: Member, offset: int) -> bytes:
    if offset == member.offset:
        return member.raw
    if offset < MAX32 and struct.unpack_from("<L", member.raw, 42)[0] != MAX32:
        return member.raw[:42] + struct.pack("<L", offset) + member.raw[46:]
    name_length = struct.unpack_from("<H", member.raw, 28)[0]
    return _built(member, member.raw[46 : 46 + name_length], member.flags, offset)


def _built(member: Member, raw_name: bytes, flags: int, offset: int) -> bytes:
    made, needed = struct.unpack_from("<2H", member.raw, 4)
    _, name_length, extra_length, comment_length = struct.unpack_from("<L3H", member.raw, 24)
    extra_start = CENTRAL.size + name_length
    fields = extra_fields(member.raw[extra_start : extra_start + extra_length])
    extra = b"".join(whole for kind, _, whole in fields if kind != ZIP64_EXTRA)
    comment = member.raw[extra_start + extra_length : extra_start + extra_length + comment_length]
    internal = struct.unpack_from("<H", member.raw, 36)[0]
    numbers = (member.size, member.compressed_size, offset)
    large = [number for number in numbers if number >= MAX32]
    if large:
        extra = struct.pack(f"<2H{len(large)}Q", ZIP64_EXTRA, 8 * len(large), *large) + extra
        needed = max(needed, 45)
    size, packed, place = (min(number, MAX32) for number in numbers)
    head = CENTRAL.pack(
        CENTRAL_MAGIC, made, needed, flags, member.method, member.time, member.date, member.crc, packed, size,
        len(raw_name), len(extra), len(comment), 0, internal, member.external_attributes, place,
    )  # fmt: skip
    return head + raw_name + extra + comment
