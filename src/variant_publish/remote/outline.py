"""The outline of a wheel that lies on a server: its directory and dist-info where the wheel has them, else holes."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from variant_publish.archive.wheel import INFO_FILES
from variant_publish.dialects.registry import own_files
from variant_publish.remote.transport import Transport

_TAIL = 66 * 1024  # the end records, behind which a comment of 64 KiB may stand
_NEAR = 64 * 1024
_LOCAL_HEADER = 30 + 4096  # a name and an extra field of usual length
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_MAX32 = 0xFFFFFFFF

Span = tuple[int, int]


class Outline:
    """Write the outline of one wheel: its tail, the rest of the directory, then the dist-info files."""

    def __init__(self, transport: Transport, url: str, stream: BinaryIO) -> None:
        self.transport, self.url, self.stream = transport, url, stream
        self.have: list[Span] = []

    def write(self) -> bool:
        """Fetch what is needed; False where the server answers no range requests."""
        size = self._get(f"bytes=-{_TAIL}")
        if size is None:
            return False
        self.stream.truncate(size)
        self._want([(_directory_start(self._at(self.have[0])), size)])
        with zipfile.ZipFile(self.stream) as archive:
            members = [info for info in archive.infolist() if _is_info(info.filename)]
        self._want((info.header_offset, info.header_offset + _LOCAL_HEADER + info.compress_size) for info in members)
        self.stream.flush()
        return True

    def _want(self, spans: Iterable[Span]) -> None:
        size = self.have[0][1]
        for start, end in _merged((max(0, start), min(end, size)) for start, end in spans):
            covered = next((have for have in self.have if have[0] <= start and end <= have[1]), None)
            if covered is None:
                self._get(f"bytes={start}-{min(end, self.have[0][0] if start < self.have[0][0] else end) - 1}")

    def _get(self, span: str) -> int | None:
        """Fetch one range into its place, and give the size of the whole file; None for a server without ranges."""
        first, _, last = span.removeprefix("bytes=").partition("-")
        wanted = int(last) - int(first) + 1 if first else int(last)
        answer = self.transport.get(
            self.url, wanted, headers={"Range": span, "Accept-Encoding": "identity"}, accept=(416,)
        )
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status != 206 or match is None:
            return None
        start, size, content = int(match[1]), int(match[3]), answer.content
        if (first and start != int(first)) or start + len(content) > size:
            raise zipfile.BadZipFile("the server sent another range than was asked for")
        self.stream.seek(start)
        self.stream.write(content)
        self.have.append((start, start + len(content)))
        return size

    def _at(self, span: Span) -> bytes:
        self.stream.seek(span[0])
        return self.stream.read(span[1] - span[0])


def _directory_start(tail: bytes) -> int:
    """Return where the central directory begins, by the end records in the tail of the file."""
    place = tail.rfind(b"PK\x05\x06")
    if place < 0:
        raise zipfile.BadZipFile("it is not a ZIP archive, or its end is missing")
    (start,) = struct.unpack_from("<L", tail, place + 16)
    end64 = tail.rfind(b"PK\x06\x06", 0, place)
    if start == _MAX32 and end64 >= 0:
        (start,) = struct.unpack_from("<Q", tail, end64 + 48)
    return int(start)


def _is_info(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder.endswith(".dist-info") and file in (*INFO_FILES, *own_files())


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Join spans that lie near each other: one request costs more than a few unneeded kilobytes."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None:
            current = span
        elif span[0] <= current[1] + _NEAR:
            current = (current[0], max(current[1], span[1]))
        else:
            yield current
            current = span
    if current is not None:
        yield current
