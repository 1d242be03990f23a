"""Wheels on a server, read in ranges: the central directory and the dist-info files, whatever their size."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from variant_publish.archive.directory import read_directory
from variant_publish.archive.dist_info import INFO_FILES
from variant_publish.archive.wheel import OutlineWheel, WholeWheel
from variant_publish.archive.zipraw import InvalidArchive, RawArchive
from variant_publish.dialects.registry import own_files
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.simple import IndexFile
from variant_publish.remote.files import METADATA_LIMIT, read_url
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import IndexUnavailable, Transport

_TAIL = 66 * 1024
"""The end records, before which a comment of 64 KiB may stand."""
_NEAR = 64 * 1024
_MOST = 256 * 1024 * 1024
"""Bytes that are read of one wheel."""
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")

Read = Callable[[int, int], bytes]


class RangedArchive(RawArchive):
    """A ZIP archive of which ranges are read as they are needed, and kept; `read` returns a length at an offset."""

    def __init__(self, name: str, size: int, read: Read, tail: bytes = b"") -> None:
        self.path, self.size, self.descriptor = Path(name), size, -1
        self._read, self._total = read, 0
        self._pieces: list[tuple[int, bytes]] = [(size - len(tail), tail)] if tail else []
        self.directory = read_directory(self.path, size, self.at)

    def at(self, offset: int, length: int) -> bytes:
        """Read exactly `length` bytes at `offset`, or raise InvalidArchive."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise InvalidArchive(self.path, f"is truncated or damaged: {length} bytes at {offset} are not there")
        place = bisect.bisect_right(self._pieces, offset, key=lambda piece: piece[0]) - 1
        if place >= 0:
            start, content = self._pieces[place]
            if offset + length <= start + len(content):
                return content[offset - start : offset - start + length]
        self._total += length
        if self._total > _MOST:
            raise InvalidArchive(self.path, f"has more than {_MOST} bytes of directory and dist-info")
        content = self._read(offset, length)
        if len(content) != length:
            raise InvalidArchive(self.path, f"is truncated or damaged: {length} bytes at {offset} are not there")
        bisect.insort(self._pieces, (offset, content))
        return content

    def fetch_info(self) -> None:
        """Read the dist-info files at once, those near each other by one request."""
        directory = self.directory
        starts = [directory.offsets[at] for at in directory.order]
        ends = dict(zip(directory.order, [*starts[1:], directory.start], strict=True))
        spans = [(directory.offsets[at], ends[at]) for at in range(len(directory)) if _is_info(directory.names[at])]
        for start, end in _merged((start, end) for start, end in spans if end - start < _MOST):
            self.at(start, end - start)


def outline(file: IndexFile, transport: Transport) -> OutlineWheel | None:
    """Read the outline of a listed wheel; None where its server answers no range requests.

    Raises IndexUnavailable where it cannot be read, InvalidWheelName or InvalidArchive where it is no wheel.
    """
    name = WheelName.parse(file.filename)
    archive = ranged(file, transport)
    return None if archive is None else OutlineWheel.of(archive, name, file.sha256)


def ranged(file: IndexFile, transport: Transport) -> RangedArchive | None:
    """Open a listed wheel on its server, with its dist-info read; None where ranges are refused."""
    tail = _range(transport, file, f"bytes=-{_TAIL}", _TAIL)
    if tail is None:
        return None
    size, end = tail
    if file.size not in (None, size):
        raise IndexUnavailable(file.url, f"it has {size} bytes, and the index lists {file.size}")

    def read(offset: int, length: int) -> bytes:
        found = _range(transport, file, f"bytes={offset}-{offset + length - 1}", length)
        if found is None or found[0] != size:
            raise IndexUnavailable(file.url, "its server answers range requests in different ways")
        return found[1]

    archive = RangedArchive(file.filename, size, read, end)
    archive.fetch_info()
    return archive


def metadata_of(file: IndexFile, transport: Transport) -> bytes | None:
    """Return the METADATA of a listed wheel: from a file of this machine, as the index serves it, or by range requests.

    None where its server answers no range requests: the whole wheel has it.
    """
    if (path := local_path(file.url)) is not None:
        return bytes(WholeWheel.read(path).metadata)
    if file.metadata_url is not None:
        return read_url(file.metadata_url, METADATA_LIMIT, file.metadata_sha256 or "", transport)
    found = outline(file, transport)
    return None if found is None else bytes(found.metadata)


def _range(transport: Transport, file: IndexFile, span: str, length: int) -> tuple[int, bytes] | None:
    """Return the size of the whole file and the bytes of a range; None where the server answers no range requests."""
    answer = transport.get(file.url, length, headers={"Range": span, "Accept-Encoding": "identity"}, accept=(416,))
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != 206 or match is None:
        return None
    start, size = int(match[1]), int(match[3])
    asked = span.removeprefix("bytes=").partition("-")[0]
    expected = int(asked) if asked else max(0, size - length)
    if start != expected or start + len(answer.content) > size:
        raise IndexUnavailable(file.url, "its server sent another range than was asked for")
    return size, answer.content


def _is_info(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder.endswith(".dist-info") and file in (*INFO_FILES, *own_files())


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join spans that lie near each other: one request costs more than a few unneeded kilobytes."""
    current: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if current is None:
            current = start, end
        elif start <= current[1] + _NEAR:
            current = current[0], max(current[1], end)
        else:
            yield current
            current = start, end
    if current is not None:
        yield current
