"""The content of one file of a wheel, in memory or on disk: read by position, searched once for all that is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Protocol

from variant_publish.archive.inflate import Inflater
from variant_publish.archive.transfer import Hash, read_exactly
from variant_publish.archive.zipraw import STORED, Member
from variant_publish.binary.image import format_of
from variant_publish.errors import VariantPublishError

_WINDOW, _LONGEST = 1024 * 1024, 128
"""Bytes that are searched at a time, which stay in the cache of a processor, and those of the longest match."""

_LITERAL = re.compile(rb"(?:[A-Za-z0-9_, ]|\\[().]){6,}(?![?*{+])")
"""What a pattern begins with, where it is long: whether it is there at all takes a third of the time to find out."""

_MANY = 1 << 16
_HEAD = 8
_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a binary, above which it lies in a temporary file while it is looked into."""

Range = tuple[int, int]
"""Where a part of a file begins and ends."""

Found = Mapping[bytes, Sequence[tuple[int, tuple[bytes, ...]]]]
"""The matches of each pattern: where they begin, and their groups."""


EndOf = Callable[["Buffer", int], int]
"""Return where a container ends whose magic number is at a place; the place itself, where none begins there."""


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


def find(
    data: Buffer, patterns: Iterable[bytes], ranges: Iterable[Range], containers: Mapping[bytes, EndOf] = {}
) -> Found:
    """Return the matches of all patterns, of each the first 65,536 at most.

    Some patterns are the magic numbers of `containers`, whose content is not searched: it may be most of a file.
    """
    found: dict[bytes, list[tuple[int, tuple[bytes, ...]]]] = {pattern: [] for pattern in patterns}
    gaps: list[Range] = []
    for start, end in ranges:
        for place, magic, stop in _outermost(
            data, (start, end), {one: containers[one] for one in found if one in containers}
        ):
            if len(found[magic]) < _MANY:
                found[magic].append((place, ()))
            if stop - place > _LONGEST:
                gaps.append((start, place))
                start = stop
        gaps.append((start, end))
    for place, match in search(data, found.keys() - containers.keys(), gaps):
        if len(kept := found[match.re.pattern]) < _MANY:
            kept.append((place, match.groups()))
    return found


def search(data: Buffer, patterns: Iterable[bytes], ranges: Iterable[Range]) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Return where matches of at most 128 bytes begin, as they are found.

    Patterns begin with bytes that are given: such a search is one of the C library, and takes a tenth of the time of
    one for alternatives.
    """
    compiled = [
        (re.compile(one), found[0].replace(b"\\", b"") if (found := _LITERAL.match(one)) else b"") for one in patterns
    ]
    for start, end in ranges:
        for place in range(start, end, _WINDOW):
            window = data[place : min(place + _WINDOW + _LONGEST, end)]
            for pattern, literal in compiled:
                for match in pattern.finditer(window) if literal in window else ():
                    if match.start() >= _WINDOW:
                        break
                    yield place + match.start(), match


def _outermost(data: Buffer, part: Range, containers: Mapping[bytes, EndOf]) -> Iterator[tuple[int, bytes, int]]:
    """Return the magic numbers that lie in no container, each with the end of its own."""
    place, end = part
    while place < end and containers:
        window = data[place : min(place + _WINDOW + _LONGEST, end)]
        position = 0
        coming = dict.fromkeys(map(re.compile, containers), -1)
        while position < _WINDOW:
            for magic, known in coming.items():
                if known < position:
                    match = magic.search(window, position)
                    coming[magic] = match.start() if match else _WINDOW
            magic = min(coming, key=coming.__getitem__)
            if coming[magic] >= _WINDOW:
                break
            start = place + coming[magic]
            stop = max(containers[magic.pattern](data, start), start + 1)
            yield start, magic.pattern, stop
            position = stop - place
        place += max(position, _WINDOW)


def apart_from(ranges: Iterable[Range], length: int) -> Iterator[Range]:
    """Return what is left of `length` bytes without these parts of them."""
    place = 0
    for start, end in sorted(ranges):
        if place < start:
            yield place, min(start, length)
        place = max(place, end)
    yield place, length


@contextmanager
def unpacked(
    inflater: Inflater, member: Member, digest: Hash | None = None, *, ahead: bool = False
) -> Iterator[Buffer | None]:
    """Return the content of an executable file, None of any other member; `digest` takes the bytes of all.

    A large member lies in a temporary file meanwhile; with `ahead`, a thread inflates it while its bytes are hashed and
    written. Raises InvalidArchive where it is damaged.
    """
    archive = inflater.archive
    is_binary = False
    pieces = inflater.pieces(member)
    with _copy(member) as copy:
        for number, piece in enumerate(_ahead(pieces) if ahead and member.size > _IN_MEMORY else pieces):
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


def _ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the pieces, the next one of which is always under way."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, pieces, b"")
        while piece := coming.result():
            coming = thread.submit(next, pieces, b"")
            yield piece


def _copy(member: Member) -> IO[bytes]:
    if member.size <= _IN_MEMORY or member.method == STORED:
        return BytesIO()
    from tempfile import TemporaryFile  # not at the top: it loads much, and most wheels need none

    return TemporaryFile()


def _write(copy: IO[bytes], piece: bytes, what: str) -> None:
    try:
        copy.write(piece)
    except OSError as error:
        raise VariantPublishError(
            f"{what} cannot be unpacked into the temporary folder ({error.strerror})",
            hint="set TMPDIR to a folder with more space",
        ) from error
