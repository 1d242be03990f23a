"""A published release: METADATA that its index serves, outlines of its wheels by range requests, or the wheels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from packaging.version import Version

from variant_publish.archive.wheel import ArchiveWheel, MetadataWheel, OutlineWheel, Wheel, WholeWheel
from variant_publish.archive.zipraw import open_archive
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.model.quantity import count, readable_size
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Unreadable
from variant_publish.remote.archive import outline
from variant_publish.remote.files import METADATA_LIMIT, download
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import IndexUnavailable, Transport

_AT_ONCE = 8


class PublishedRelease(msgspec.Struct, frozen=True):
    """The wheels of one version on an index, the names of its sdists, and the wheels of the release before it."""

    version: Version
    files: tuple[IndexFile, ...]
    previous: tuple[IndexFile, ...]
    sdists: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: str, listed: Sequence[IndexFile], version: Version) -> PublishedRelease:
        """Pick the wheels of a version, and those of the release before it, from what an index lists of a project."""
        wheels = _by_version(listed)
        if version not in wheels:
            hint = "check the project's name, or name another index"
            if listed:
                hint = f"it has {count(len(listed), 'file')} of it and no wheel, the first is {listed[0].filename}"
            if wheels:
                hint = f"it has {', '.join(map(str, sorted(wheels, reverse=True)[:5]))}"
            raise VariantPublishError(f"the index has no wheel of {project} {version}", hint=hint)
        sdists = (file.filename for file in listed if file.filename.endswith(".tar.gz"))
        own = tuple(name for name in sdists if (text := version_of(name)) and Version(text) == version)
        return cls(version, tuple(wheels[version]), previous_of(listed, version), own)


def previous_of(listed: Iterable[IndexFile], version: Version) -> tuple[IndexFile, ...]:
    """Return the wheels of the newest older version; of a final release, pre-releases do not count."""
    wheels = _by_version(listed)
    older = [one for one in wheels if one < version and one.is_prerelease <= version.is_prerelease]
    return tuple(wheels[max(older)]) if older else ()


class Depth(StrEnum):
    """How much of each wheel is asked for: what is cheapest, its directory and dist-info, or all of it."""

    METADATA = "metadata"
    OUTLINE = "outline"
    WHOLE = "whole"


class FetchedWheels(msgspec.Struct, frozen=True):
    """What was fetched: wheels, and the files that are none; one that lies on this machine is read where it lies.

    `bytes_read` in so many `requests` are those for the wheels, without the page of the index; 0 for files.
    """

    wheels: tuple[Wheel, ...]
    unreadable: tuple[Unreadable, ...]
    bytes_read: int
    requests: int


def fetch(
    files: Iterable[IndexFile], folder: Path, *, depth: Depth, label: str = "", reporter: Reporter = SILENT
) -> FetchedWheels:
    """Ask for the wheels, several at a time: METADATA that the index serves (PEP 658), else outlines, or all of them.

    Whole wheels go into the folder. What was read is noted, after `label`, and so is a server without ranges, of which
    whole files are taken. Raises IndexUnavailable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = list(files)
    transport = Transport()
    source = _Source(folder, depth, reporter, transport)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(source.fetch, listed))
    found = FetchedWheels(
        tuple(one for one in done if isinstance(one, Wheel)),
        tuple(one for one in done if isinstance(one, Unreadable)),
        transport.bytes_read,
        transport.requests,
    )
    for line in _notes(found, listed):
        reporter.note(f"{label}: {line}" if label else line)
    return found


def _notes(found: FetchedWheels, listed: Sequence[IndexFile]) -> Iterator[str]:
    """Return what was read of the wheels, and why not less or more."""
    bare = sum(isinstance(wheel, MetadataWheel) for wheel in found.wheels)
    outlines = any(isinstance(wheel, OutlineWheel) for wheel in found.wheels)
    if bare:
        yield (
            f"the index served METADATA of {bare} of {len(listed)} wheels, which were not read themselves"
            " (--outline reads their directories too)"
        )
    elif outlines and not any(file.metadata_url for file in listed):
        yield "the index lists no METADATA (PEP 658), so the wheels' directories were read by range requests"
    if found.requests:
        total = sum(file.size or 0 for file in listed)
        of = f" of {readable_size(total)}" if total else ""
        yield f"{readable_size(found.bytes_read)}{of} were read in {count(found.requests, 'request')}"


def _by_version(listed: Iterable[IndexFile]) -> dict[Version, list[IndexFile]]:
    found: dict[Version, list[IndexFile]] = {}
    for file in listed:
        if file.filename.endswith(".whl") and (text := version_of(file.filename)):
            found.setdefault(Version(text), []).append(file)
    return found


class _Source:
    """Fetch wheels from threads of a pool."""

    def __init__(self, folder: Path, depth: Depth, reporter: Reporter, transport: Transport) -> None:
        self.folder, self.depth, self.reporter, self.transport = folder, depth, reporter, transport
        self._lock = threading.Lock()
        self._noted: set[str] = set()

    def fetch(self, file: IndexFile) -> Wheel | Unreadable:
        """Return as much of a wheel as was asked for, or why it is no wheel."""
        path = local_path(file.url)
        try:
            if path is not None:
                return _read_here(path, file, whole=self.depth is Depth.WHOLE)
            if self.depth is Depth.METADATA and (wheel := self._metadata(file)) is not None:
                return wheel
            if self.depth is not Depth.WHOLE and (read := self._outline(file)) is not None:
                return read
            path = self.folder / file.filename
            download(file, path, self.reporter, self.transport)
            return WholeWheel.read(path)
        except IndexUnavailable:
            raise
        except VariantPublishError as error:
            return Unreadable(path or Path(file.filename), error)

    def _once(self, message: str) -> None:
        with self._lock:
            if message in self._noted:
                return
            self._noted.add(message)
        self.reporter.note(message)

    def _metadata(self, file: IndexFile) -> MetadataWheel | None:
        """Read the METADATA that the index serves; None where it does not, or no size of the wheel is known."""
        if file.metadata_url is None:
            return None
        size = file.size if file.size is not None else self.transport.size(file.url)
        if size is None:
            return None  # whatever it is, the request for its tail will say so
        answer = self.transport.get(file.metadata_url, METADATA_LIMIT, accept=(403, 404))
        if answer.status != 200:
            self._once(f"{_host(file)} does not serve the METADATA that the index lists: outlines were read")
            return None
        if file.metadata_sha256 and hashlib.sha256(answer.content).hexdigest() != file.metadata_sha256:
            raise IndexUnavailable(
                file.metadata_url, "the bytes that arrived have another SHA-256 than the index lists"
            )
        try:
            return MetadataWheel.parse(file.filename, size, answer.content)
        except VariantPublishError:
            return None  # the wheel itself will tell what is wrong with it

    def _outline(self, file: IndexFile) -> OutlineWheel | None:
        found = outline(file, self.transport)
        if found is None:
            self._once(f"{_host(file)} answers no range requests: whole files were read")
        return found


def _read_here(path: Path, file: IndexFile, *, whole: bool) -> ArchiveWheel:
    if path.name != file.filename:
        raise VariantPublishError(
            f"{path} is listed as {file.filename}", hint="list each wheel under the name that it has"
        )
    if whole:
        return WholeWheel.read(path)
    with open_archive(path) as archive:
        return OutlineWheel.of(archive, WheelName.parse(path.name), file.sha256)


def _host(file: IndexFile) -> str | None:
    return urlsplit(file.url).hostname
