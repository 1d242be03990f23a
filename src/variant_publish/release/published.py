"""A published release: METADATA that its index serves, outlines of its wheels by range requests, or the wheels.

An outline has the size of the wheel and holds its directory and dist-info where the wheel has them; everything between
is a hole that takes no room on disk. Whoever reads names, metadata and RECORD reads it like the wheel.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.version import Version

from variant_publish.archive.outline import Outline
from variant_publish.archive.wheel import Wheel
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.model.quantity import readable_size
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.client import IndexUnavailable, download, open_session, read_url

if TYPE_CHECKING:
    import requests

_TIMEOUT = 30.0
_AT_ONCE = 8
_SANE = 10 * 1024**3


@dataclass(frozen=True, slots=True)
class Published:
    """The wheels of one version on an index, the names of its sdists, and the wheels of the release before it."""

    version: Version
    files: tuple[IndexFile, ...]
    previous: tuple[IndexFile, ...]
    sdists: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: str, listed: Sequence[IndexFile], version: Version) -> Published:
        """Pick the wheels of a version, and those of the release before it, from what an index lists of a project."""
        wheels = _by_version(listed)
        if version not in wheels:
            known = ", ".join(map(str, sorted(wheels, reverse=True)[:5]))
            raise VariantPublishError(
                f"the index has no wheel of {project} {version}", hint=f"it has {known or 'none'}"
            )
        sdists = (file.filename for file in listed if file.filename.endswith(".tar.gz"))
        own = tuple(name for name in sdists if (text := version_of(name)) and Version(text) == version)
        return cls(version, tuple(wheels[version]), previous_of(listed, version), own)


def previous_of(listed: Iterable[IndexFile], version: Version) -> tuple[IndexFile, ...]:
    """Return the wheels of the newest older version; of a final release, pre-releases do not count."""
    wheels = _by_version(listed)
    older = [one for one in wheels if one < version and one.is_prerelease <= version.is_prerelease]
    return tuple(wheels[max(older)]) if older else ()


class Depth(StrEnum):
    """Return how much of each wheel is asked for: what is cheapest, or its outline, or all of it."""

    METADATA = "metadata"
    OUTLINE = "outline"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: `wheels` of which the index gave METADATA; the others lie in the folder as files.

    `bytes_read` in so many `requests` are those for the wheels, without the page of the index; 0 for files.
    """

    wheels: tuple[Wheel, ...]
    files: int
    bytes_read: int
    requests: int


def fetch(
    files: Iterable[IndexFile], folder: Path, *, depth: Depth, label: str = "", reporter: Reporter = SILENT
) -> Fetched:
    """Ask for the wheels, several at a time: METADATA that the index serves (PEP 658), else outlines, or all of them.

    What was read is told, after `label`. A server that knows no ranges sends whole files: that is told, and they are
    taken. Raises IndexUnavailable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = list(files)
    source = _Source(folder, depth, reporter)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(source.fetch, listed))
    source.close()
    wheels = tuple(wheel for wheel in done if wheel is not None)
    found = Fetched(wheels, len(listed) - len(wheels), source.bytes_read, source.requests)
    for line in _told(found, listed, ranges=source.ranges if depth is Depth.METADATA else 0):
        reporter.note(f"{label}: {line}" if label else line)
    return found


def _told(found: Fetched, listed: Sequence[IndexFile], *, ranges: int) -> Iterator[str]:
    """Return what was read of the wheels, and why not less or more; `ranges` were read for want of METADATA."""
    if found.wheels:
        yield (
            f"the index served METADATA of {len(found.wheels)} of {len(listed)} wheels, which were not read themselves"
            " (--outline reads their directories too)"
        )
    elif ranges:
        yield "the index lists no METADATA (PEP 658), so the wheels' directories were read by range requests"
    if found.requests:
        total = sum(file.size or 0 for file in listed)
        of = f" of {readable_size(total)}" if total else ""
        yield f"{readable_size(found.bytes_read)}{of} were read in {found.requests} requests"


def _by_version(listed: Iterable[IndexFile]) -> dict[Version, list[IndexFile]]:
    found: dict[Version, list[IndexFile]] = {}
    for file in listed:
        if file.filename.endswith(".whl") and (text := version_of(file.filename)):
            found.setdefault(Version(text), []).append(file)
    return found


class _Source:
    """Fetch wheels from threads of a pool; each thread has a session of its own, so connections are kept."""

    def __init__(self, folder: Path, depth: Depth, reporter: Reporter) -> None:
        self.folder, self.depth, self.reporter = folder, depth, reporter
        self.bytes_read = self.requests = self.ranges = 0
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def fetch(self, file: IndexFile) -> Wheel | None:
        """Write a wheel or its outline into the folder, or give what its METADATA says."""
        target = self.folder / file.filename
        if urlsplit(file.url).scheme == "file":
            target.symlink_to(url2pathname(urlsplit(file.url).path))
            return None
        if self.depth is Depth.METADATA and (wheel := self._metadata(file, target)) is not None:
            return wheel
        if self.depth is Depth.WHOLE or not self.outline(file, target):
            target.unlink(missing_ok=True)
            if file.sha256:
                download(file, target, self.reporter)
            else:  # an old index without hashes: there is nothing to hold the bytes against
                target.write_bytes(read_url(file.url, _SANE))
            self._count(target.stat().st_size)
        return None

    def get(self, url: str, **options: Any) -> requests.Response:
        """Send a request and read the answer, unless it is that of a server without ranges."""
        if not hasattr(self._local, "session"):
            self._local.session = open_session()
            with self._lock:
                self._sessions.append(self._local.session)
        response: requests.Response = self._local.session.request(
            options.pop("method", "GET"), url, timeout=_TIMEOUT, stream=True, **options
        )
        self._count(len(response.content) if _is_wanted(response) else 0)
        return response

    def close(self) -> None:
        """Close what is open."""
        for session in self._sessions:
            session.close()

    def _count(self, size: int) -> None:
        with self._lock:
            self.bytes_read += size
            self.requests += 1

    def _once(self, message: str) -> None:
        with self._lock:
            if message in self._told:
                return
            self._told.add(message)
        self.reporter.note(message)

    def _metadata(self, file: IndexFile, target: Path) -> Wheel | None:
        """Read the METADATA that the index serves; None where it does not, or tells no size of the wheel."""
        if file.metadata_url is None or (size := self._size(file)) is None:
            return None
        try:
            with self.get(file.metadata_url) as response:
                if response.status_code in (403, 404):
                    self._once(f"{_host(file)} does not serve the METADATA that the index lists: outlines were read")
                    return None
                response.raise_for_status()
                content = response.content
        except OSError as error:
            raise IndexUnavailable(file.metadata_url, str(error) or type(error).__name__) from error
        if file.metadata_sha256 and hashlib.sha256(content).hexdigest() != file.metadata_sha256:
            raise IndexUnavailable(
                file.metadata_url, "the bytes that arrived have another SHA-256 than the index lists"
            )
        try:
            return Wheel.of_metadata(target, size, content)
        except VariantPublishError:
            return None  # the wheel itself will tell what is wrong with it

    def _size(self, file: IndexFile) -> int | None:
        """Return the size of a wheel; pages without it (PEP 503) leave that to the server."""
        if file.size is not None:
            return file.size
        try:
            with self.get(file.url, method="HEAD", allow_redirects=True) as response:
                response.raise_for_status()
                length = response.headers.get("Content-Length", "")
        except OSError:
            return None  # whatever it is, the request for its tail will say so
        return int(length) if length.isdigit() else None

    def outline(self, file: IndexFile, target: Path) -> bool:
        """Write the outline of a wheel; False where the server knows no ranges."""
        try:
            with target.open("w+b") as stream:
                written = Outline(self.get, file.url, stream).write()
        except (OSError, struct.error, zipfile.BadZipFile) as error:  # those of requests are OSErrors too
            raise IndexUnavailable(file.url, str(error) or type(error).__name__) from error
        self.ranges += written
        if not written:
            self._once(f"{_host(file)} answers no range requests: whole files were read")
        return written


def outline(file: IndexFile, target: Path) -> bool:
    """Write the outline of a wheel by range requests; False where the server knows none. Raises IndexUnavailable."""
    source = _Source(target.parent, Depth.OUTLINE, SILENT)
    try:
        return source.outline(file, target)
    finally:
        source.close()


def _host(file: IndexFile) -> str | None:
    return urlsplit(file.url).hostname


def _is_wanted(response: requests.Response) -> bool:
    return "Range" not in response.request.headers or response.status_code == 206
