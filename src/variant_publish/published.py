"""A published release as files: outlines of its wheels by a few range requests each, or the wheels themselves.

An outline has the size of the wheel and holds its directory and dist-info where the wheel has them; everything between
is a hole that takes no room on disk. Whoever reads names, metadata and RECORD reads it like the wheel.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.version import Version

from variant_publish.archive.wheel import INFO_FILES
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.progress import SILENT, Reporter
from variant_publish.simple_client import IndexUnavailable, download, open_session, read_url

if TYPE_CHECKING:
    import requests

_TAIL = 128 * 1024
_NEAR = 64 * 1024
_LOCAL_HEADER = 30 + 4096  # a name and an extra field of usual length
_TIMEOUT = 30.0
_AT_ONCE = 8
_SANE = 10 * 1024**3
_MAX32 = 0xFFFFFFFF

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Published:
    """Hold the files of one version on an index, and those of the release before it."""

    version: Version
    files: tuple[IndexFile, ...]
    previous: tuple[IndexFile, ...]

    @classmethod
    def of(cls, listed: Sequence[IndexFile], version: Version) -> Published:
        """Pick the wheels of a version, and those of the release before it."""
        wheels = _by_version(listed)
        if version not in wheels:
            known = ", ".join(map(str, sorted(wheels, reverse=True)[:5]))
            raise VariantPublishError(f"the index has no wheel of version {version}", hint=f"it has {known or 'none'}")
        return cls(version, tuple(wheels[version]), previous_of(listed, version))


def previous_of(listed: Iterable[IndexFile], version: Version) -> tuple[IndexFile, ...]:
    """Give the wheels of the newest older version; of a final release, pre-releases do not count."""
    wheels = _by_version(listed)
    older = [one for one in wheels if one < version and one.is_prerelease <= version.is_prerelease]
    return tuple(wheels[max(older)]) if older else ()


def fetch(files: Iterable[IndexFile], folder: Path, *, whole: bool, reporter: Reporter = SILENT) -> None:
    """Write each wheel, or its outline, into a folder; several at a time.

    A server that knows no ranges sends whole files: that is told, and they are taken. Raises IndexUnavailable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = [pool.submit(_fetch, file, folder / file.filename, whole, reporter) for file in files]
        without = sorted({host for future in done if (host := future.result())})
    if without:
        reporter.note(f"{', '.join(without)} answers no range requests: whole files were read")


def _by_version(listed: Iterable[IndexFile]) -> dict[Version, list[IndexFile]]:
    found: dict[Version, list[IndexFile]] = {}
    for file in listed:
        if file.filename.endswith(".whl") and (text := version_of(file.filename)):
            found.setdefault(Version(text), []).append(file)
    return found


def _fetch(file: IndexFile, target: Path, whole: bool, reporter: Reporter) -> str | None:
    """Write one file; give the host where it had to be whole for want of ranges."""
    parts = urlsplit(file.url)
    if parts.scheme == "file":
        target.symlink_to(url2pathname(parts.path))
    elif whole or not outline(file, target):
        target.unlink(missing_ok=True)
        if file.sha256:
            download(file, target, reporter)
        else:  # an old index without hashes: there is nothing to hold the bytes against
            target.write_bytes(read_url(file.url, _SANE))
        return None if whole else parts.hostname
    return None


def outline(file: IndexFile, target: Path) -> bool:
    """Write the outline of a wheel by range requests; False where the server knows none. Raises IndexUnavailable."""
    try:
        with open_session() as session, target.open("w+b") as stream:
            return _Outline(session, file.url, stream).write()
    except (OSError, struct.error, zipfile.BadZipFile) as error:  # those of requests are OSErrors too
        raise IndexUnavailable(file.url, str(error) or type(error).__name__) from error


class _Outline:
    """Write the outline of one wheel: its tail, the rest of the directory, then the dist-info files."""

    def __init__(self, session: requests.Session, url: str, stream: BinaryIO) -> None:
        self.session, self.url, self.stream = session, url, stream
        self.have: list[Span] = []

    def write(self) -> bool:
        """Fetch what is needed; False where the server knows no ranges."""
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
        headers = {"Range": span, "Accept-Encoding": "identity"}
        with self.session.get(self.url, headers=headers, timeout=_TIMEOUT, stream=True) as response:
            response.raise_for_status()
            match = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", response.headers.get("Content-Range", ""))
            if response.status_code != 206 or match is None:
                return None
            start, size = int(match[1]), int(match[3])
            content = response.content
        self.stream.seek(start)
        self.stream.write(content)
        self.have.append((start, start + len(content)))
        return size

    def _at(self, span: Span) -> bytes:
        self.stream.seek(span[0])
        return self.stream.read(span[1] - span[0])


def _directory_start(tail: bytes) -> int:
    """Give where the central directory begins, by the end records in the tail of the file."""
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
    return folder.endswith(".dist-info") and file in INFO_FILES


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
