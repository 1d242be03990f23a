"""A folder as a store: the same layout as a bucket, served by any web server or read through `file:`."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from variant_publish.archive.atomic import creating, replacing
from variant_publish.archive.transfer import Sink
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.progress import Advance
from variant_publish.store.objects import (
    Listed,
    ObjectHeaders,
    Pending,
    PutResult,
    Stat,
    Stored,
    changed_on_the_way,
    contended,
    ignore,
    iso,
)
from variant_publish.store.store import Store
from variant_publish.store.stored_file import SplicedFile, StoredFile

LOCK = ".variant-publish/lock"
LOCK_TIMEOUT_S = 60.0

_CHUNK = 1024 * 1024


class LocalStore(Store):
    """Keep an index in a folder; pages are swapped under a lock file, files are moved into place whole."""

    asks_first = True

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def describe(self) -> str:
        """Return the name of the folder."""
        return f"folder {self.folder}"

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return the one file that web servers and `file:` readers open for a folder."""
        return (f"{folder}index.html",)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _check_room(self, largest: int) -> None:
        with self._readable():
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=self.folder):
                    pass
                free = shutil.disk_usage(self.folder).free
            except (FileExistsError, NotADirectoryError) as error:
                raise UsageError(f"{self.folder} is not a folder", hint="name a folder as file:DIR") from error
        if largest > free:
            raise VariantPublishError(
                f"{self.describe()} has {free} bytes left for a file of {largest}", hint="make room there"
            )

    def _probe(self, *, in_parts: bool = False) -> None:
        """Do nothing: links and the lock keep the conditions."""

    def _get(self, key: str, known: Stored | None) -> Stored | None:
        with self._readable():
            try:
                content = self._path(key).read_bytes()
            except FileNotFoundError:
                return None
        return Stored(content, hashlib.sha256(content).hexdigest())

    def _tag(self, key: str) -> Stat | None:
        found = self._get(key, None)
        return Stat(len(found.content), found.etag, etag=found.etag) if found is not None else None

    def _head(self, key: str) -> Stat | None:
        with self._readable():
            try:
                found = self._path(key).stat()
                return Stat(found.st_size, etag=_tag(found))
            except FileNotFoundError:
                return None

    def _put(self, key: str, content: bytes, headers: ObjectHeaders, etag: str | None) -> PutResult:
        with self._readable():
            if headers.generation is None:
                return self._link(key, content, headers.sha256, ignore)
            with self._locked():
                found = self._get(key, None)
                if (found.etag if found else None) != etag:
                    return PutResult.LOST
                with replacing(self._path(key)) as stream:
                    stream.write(content)
        return PutResult.WRITTEN

    def _put_file(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        with self._readable():
            return self._link(key, path, headers.sha256, advance)

    def _link(self, key: str, source: Path | bytes, sha256: str, advance: Advance) -> PutResult:
        """Copy the bytes beside their place, hash them on the way, and link them in if the name is free."""
        target = self._path(key)
        if target.exists():
            return PutResult.LOST
        try:
            with creating(target) as stream:
                if _copy(source, stream, advance) != sha256:
                    raise changed_on_the_way(source)
        except VariantPublishError:
            if target.exists():  # another writer was first
                return PutResult.LOST
            raise
        return PutResult.WRITTEN

    def _put_copy(
        self, key: str, source: StoredFile | SplicedFile, headers: ObjectHeaders, advance: Advance
    ) -> PutResult | None:
        if isinstance(source, StoredFile) and isinstance(source.store, LocalStore):
            return self._put_file(key, source.store._path(source.key), headers, advance)
        return None

    def _list(self, prefix: str) -> Iterator[Listed]:
        """Return the files; those on their way and the lock are not part of the index."""
        with self._readable():
            for key, entry in _walk(self.folder, prefix.rpartition("/")[0]):
                if key.startswith(prefix) and not _is_on_the_way(entry.name) and key != LOCK:
                    found = entry.stat()
                    yield Listed(key, found.st_size, _iso(found))

    def _range(self, key: str, offset: int, length: int, etag: str) -> bytes:
        with self._readable(), self._path(key).open("rb") as stream:
            if etag and etag != _tag(os.fstat(stream.fileno())):
                raise changed_on_the_way(self._path(key))
            stream.seek(offset)
            return stream.read(length)

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._readable(), self._path(key).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def _delete(self, key: str) -> None:
        """Remove a file, and its folder where that is empty then."""
        with self._readable():
            path = self._path(key)
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()

    def _pending(self) -> Iterator[Pending]:
        """Return the files that a killed job left beside their places."""
        with self._readable():
            for key, entry in _walk(self.folder):
                if _is_on_the_way(entry.name):
                    yield Pending(key, _iso(entry.stat()), key)

    def _end(self, pending: Pending) -> None:
        with self._readable():
            self._path(pending.id).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / key

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VariantPublishError(
                f"{self.describe()} cannot be used ({error.strerror}: {error.filename})",
                hint="allow yourself to write there, or use another folder as file:DIR",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        path = self._path(LOCK)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path, timeout=LOCK_TIMEOUT_S, poll_interval=0.005):
                yield
        except Timeout as error:
            raise contended(self.describe(), LOCK) from error


def _walk(folder: Path, below: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Return the files under a folder of the store with their keys; a folder that is not there has none."""
    try:
        entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        key = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, key)
        elif entry.is_file():
            yield key, entry


def _is_on_the_way(name: str) -> bool:
    return name.startswith(".") and name.endswith(".part")


def _iso(found: os.stat_result) -> str:
    return iso(datetime.fromtimestamp(found.st_mtime, UTC))


def _copy(source: Path | bytes, target: BinaryIO, advance: Advance) -> str:
    digest = hashlib.sha256()
    if isinstance(source, bytes):
        digest.update(source)
        target.write(source)
        return digest.hexdigest()
    with source.open("rb") as stream:
        sink = Sink(target.fileno())
        sink.copy(stream.fileno(), 0, os.fstat(stream.fileno()).st_size, ignore)
        sink.flush()
    name = f"/proc/self/fd/{target.name}" if isinstance(target.name, int) else target.name  # a file without a name yet
    with Path(name).open("rb") as copied:  # what counts is what was written
        while chunk := copied.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _tag(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
