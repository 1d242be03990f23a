"""The content of members in pieces: inflated, checked against the directory, and all together of a sane size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib import import_module

from variant_publish.archive.zipraw import DEFLATED, STORED, InvalidArchive, Member, RawArchive

try:
    _zlib = import_module("isal.isal_zlib")  # takes half the time
except ImportError:  # an architecture that it is not for
    _zlib = zlib

BOMB_SIZE, BOMB_RATIO = 64 * 1024**2, 50
"""Bytes that an archive unpacks to, and how many times its own size that may be, before it counts as a ZIP bomb."""

_CHUNK, _SMALL = 1 << 20, 1 << 16


class Inflater:
    """Read the members of one archive, each at most once as a rule: all pieces count against one budget."""

    def __init__(self, archive: RawArchive) -> None:
        self.archive = archive
        self._left = max(BOMB_SIZE, BOMB_RATIO * archive.size)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Return the content of a member in pieces of at most 1 MiB.

        Raises InvalidArchive where the archive unpacks to more than a sane size, and, after the last piece, where the
        content is not what the directory says.
        """
        self._left -= member.size
        if self._left < 0:
            raise InvalidArchive(self.archive.path, "unpacks to far more than its size: not all of it was read")
        if max(member.size, member.compressed_size) <= _SMALL:
            yield self.archive.read(member)
            return
        size, crc = 0, 0
        for piece in self._raw_pieces(member):
            size, crc = size + len(piece), _zlib.crc32(piece, crc)
            yield piece
        if size != member.size or crc != member.crc:
            raise InvalidArchive(self.archive.path, f"is damaged: {member.name!r} does not match its checksum")

    def _raw_pieces(self, member: Member) -> Iterator[bytes]:
        """Return the pieces; a member that is longer than its directory says is cut off there."""
        archive = self.archive
        place, left = archive.span(member).data, member.compressed_size
        if member.method not in (STORED, DEFLATED):
            raise InvalidArchive(archive.path, f"compresses {member.name!r} with method {member.method}, not deflate")
        inflater = _zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
        total = 0
        while left and total <= member.size:
            raw = archive.at(place, min(left, _CHUNK))
            place, left = place + len(raw), left - len(raw)
            while raw and total <= member.size:
                try:
                    piece = raw if inflater is None else inflater.decompress(raw, _CHUNK)
                except _zlib.error as error:
                    reason = f"is damaged: {member.name!r} does not inflate ({error})"
                    raise InvalidArchive(archive.path, reason) from error
                raw = b"" if inflater is None or inflater.eof else inflater.unconsumed_tail
                total += len(piece)
                if piece:
                    yield piece
        if inflater is not None and total <= member.size and (tail := inflater.flush()):
            yield tail
