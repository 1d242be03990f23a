"""Move bytes from file to file: by the kernel where it can, around holes, hashed on the way where that is asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Protocol

from variant_publish.progress import Advance

_CHUNK = 128 * 1024 * 1024
_PIECE = 256 * 1024
_SMALL = 64 * 1024
"""Pieces below this are gathered in memory: a system call costs more than to copy them twice."""

_NO_KERNEL_COPY = {
    errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM, errno.ETXTBSY, errno.ENOTSOCK,
}  # fmt: skip


class Hash(Protocol):
    """Take bytes, as the objects of hashlib do."""

    def update(self, content: bytes | bytearray, /) -> object:
        """Take the next bytes."""


class Sink:
    """Append to a new file from `start` on; `position` counts from the beginning of the archive.

    Small pieces are gathered, so that thousands of them are a few calls; call `flush` at the end. With a `digest`
    every byte passes through this process, once.
    """

    def __init__(self, target: int, *, start: int = 0, digest: Hash | None = None) -> None:
        self.position = start
        self._target = target
        self._digest = digest
        self._pending = bytearray()

    def write(self, content: bytes | bytearray) -> None:
        """Append bytes."""
        self.position += len(content)
        if len(content) >= _SMALL:
            self.flush()
            self._put(content)
            return
        self._pending += content
        if len(self._pending) >= 4 * _PIECE:
            self.flush()

    def copy(self, source: int, offset: int, length: int, advance: Advance, prefix: bytes = b"") -> None:
        """Append `prefix`, and `length` bytes that lie at `offset` of the file descriptor `source`."""
        if length < _SMALL:
            self.write(prefix + read_exactly(source, offset, length))
            advance(length)
            return
        self.position += len(prefix) + length
        self.flush()
        self._put(prefix)
        for done in _copied(source, self._target, offset, offset + length, self._digest):
            advance(done)

    def flush(self) -> None:
        """Write what has been gathered."""
        pending, self._pending = self._pending, bytearray()
        self._put(pending)

    def _put(self, content: bytes | bytearray) -> None:
        if self._digest is not None:
            self._digest.update(content)
        write_all(self._target, content)


def _copied(source: int, target: int, offset: int, end: int, digest: Hash | None) -> Iterator[int]:
    """Append a range to `target`, leaving holes out; yields how many bytes are done, again and again."""
    for is_hole, start, stop in _segments(source, offset, end):
        if is_hole:
            os.lseek(target, stop - start, os.SEEK_CUR)
            yield from _hashed_zeros(stop - start, digest)
            continue
        while start < stop:
            done = _kernel_copy(source, target, start, min(stop - start, _CHUNK)) if digest is None else 0
            if done == 0:
                piece = read_exactly(source, start, min(stop - start, _PIECE))
                if digest is not None:
                    digest.update(piece)
                write_all(target, piece)
                done = len(piece)
            yield done
            start += done


def _hashed_zeros(length: int, digest: Hash | None) -> Iterator[int]:
    if digest is None:
        yield length
        return
    for offset in range(0, length, _PIECE):
        digest.update(bytes(min(_PIECE, length - offset)))
        yield min(_PIECE, length - offset)


def write_all(target: int, content: bytes | bytearray) -> None:
    """Write every byte to a file descriptor."""
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]


def read_exactly(source: int, offset: int, length: int) -> bytes:
    """Read `length` bytes at `offset`; raise OSError where the file has become shorter meanwhile."""
    parts = []
    while length:
        part = _read_at(source, length, offset)
        if not part:
            raise OSError(errno.EIO, "it became shorter while it was read")
        parts.append(part)
        offset, length = offset + len(part), length - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


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


def _segments(source: int, start: int, end: int) -> Iterator[tuple[bool, int, int]]:
    """Distinguish data from holes: (is a hole, start, end); a file without holes is one segment."""
    state = os.fstat(source)
    if not hasattr(os, "SEEK_HOLE") or getattr(state, "st_blocks", 0) * 512 >= state.st_size:
        yield False, start, end
        return
    while start < end:
        try:
            data = min(os.lseek(source, start, os.SEEK_DATA), end)
        except OSError as error:
            if error.errno != errno.ENXIO:  # no data behind this place
                raise
            data = end
        if data > start:
            yield True, start, data
        hole = min(os.lseek(source, data, os.SEEK_HOLE), end) if data < end else end
        if hole > data:
            yield False, data, hole
        start = hole
