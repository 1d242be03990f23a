"""The content of one file of a wheel, in memory or on disk: read by position, searched a window at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Protocol

from variant_publish.archive.inflate import Inflater
from variant_publish.archive.transfer import Hash, read_exactly
from variant_publish.archive.zipraw import STORED, Member
from variant_publish.binary.image import format_of
from variant_publish.errors import VariantPublishError

_WINDOW = 4 * 1024 * 1024
_HEAD = 8
_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a binary, above which it lies in a temporary file while it is looked into."""


class Buffer(Protocol):
    """Bytes that can be sliced: `bytes`, or a part of a file. Slices behind the end are shorter than asked for."""

    def __len__(self) -> int:
        """Return the number of bytes."""
        ...

    def __getitem__(self, where: slice, /) -> bytes:
        """Return a copy of some of them."""
        ...


class FileContent:
    """`length` bytes of an open file from `start` on; the descriptor stays its owner's."""

    def __init__(self, descriptor: int, start: int, length: int) -> None:
        self._descriptor, self._start, self._length = descriptor, start, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, where: slice, /) -> bytes:
        start, stop, _ = where.indices(self._length)
        return read_exactly(self._descriptor, self._start + start, max(0, stop - start))


def search(data: Buffer, pattern: re.Pattern[bytes], longest: int) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Return every match of at most `longest` bytes, with the offset of the window that its positions count from."""
    for start in range(0, len(data), _WINDOW):
        for match in pattern.finditer(data[start : start + _WINDOW + longest]):
            if match.start() >= _WINDOW:
                break
            yield start, match


@contextmanager
def unpacked(inflater: Inflater, member: Member, digest: Hash | None = None) -> Iterator[Buffer | None]:
    """Return the content of an executable file, None of any other member; `digest` takes the bytes of all.

    A large member lies in a temporary file meanwhile. Raises InvalidArchive where it is damaged.
    """
    archive = inflater.archive
    is_binary = False
    with _copy(member) as copy:
        for number, piece in enumerate(inflater.pieces(member)):
            is_binary = is_binary if number else format_of(piece[:_HEAD]) is not None
            if digest is not None:
                digest.update(piece)
            if is_binary and member.method != STORED:
                _write(copy, piece, f"{archive.path}: {member.name!r}")
        if not is_binary:
            yield None
        elif member.method == STORED:
            yield FileContent(archive.descriptor, archive.span(member).data, member.size)
        elif isinstance(copy, BytesIO):
            yield copy.getvalue()
        else:
            copy.flush()
            yield FileContent(copy.fileno(), 0, member.size)


def _copy(member: Member) -> IO[bytes]:
    if member.size <= _IN_MEMORY or member.method == STORED:
        return BytesIO()
    return TemporaryFile()


def _write(copy: IO[bytes], piece: bytes, what: str) -> None:
    try:
        copy.write(piece)
    except OSError as error:
        raise VariantPublishError(
            f"{what} cannot be unpacked into the temporary folder ({error.strerror})",
            hint="set TMPDIR to a folder with more space",
        ) from error
