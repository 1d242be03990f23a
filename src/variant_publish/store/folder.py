"""A folder as a store: the same layout as a bucket, served by any web server or read through `file:`."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from variant_publish.archive.atomic import creating, replacing
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.progress import Advance
from variant_publish.store.store import (
    Listed,
    Outcome,
    Pending,
    Stat,
    Stored,
    StoredFile,
    changed_on_the_way,
    conflict,
    ignore,
)

LOCK = ".variant-publish/lock"

_ON_THE_WAY = ".*.part"
_CHUNK = 1024 * 1024


class LocalStore:
    """Keep an index in a folder; pages are swapped under a lock file, files are moved into place whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def describe(self) -> str:
        """Name the folder."""
        return f"folder {self.folder}"

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return the one file that web servers and `file:` readers open for a folder."""
        return (f"{folder}index.html",)

    def preflight(self, largest: int = 0) -> None:
        """Raise UsageError unless files can be written in the folder, which is made if need be."""
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

    def read(self, key: str) -> Stored | None:
        """Read a file."""
        with self._readable():
            try:
                content = self._path(key).read_bytes()
            except FileNotFoundError:
                return None
        return Stored(content, hashlib.sha256(content).hexdigest())

    def stat(self, key: str) -> Stat | None:
        """Look at a file's size."""
        with self._readable():
            try:
                return Stat(self._path(key).stat().st_size)
            except FileNotFoundError:
                return None

    def create(
        self, key: str, source: Path | bytes | StoredFile, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> Outcome:
        """Copy the bytes beside their place, hash them on the way, and link them in if the name is free."""
        if isinstance(source, StoredFile):
            with source.fetched() as path:
                return self.create(key, path, sha256=sha256, content_type=content_type, advance=advance)
        target = self._path(key)
        with self._readable():
            if target.exists():
                self._compare(key, sha256)
                advance(target.stat().st_size)
                return Outcome.ALREADY_THERE
            try:
                with creating(target) as stream:
                    if _copy(source, stream, advance) != sha256:
                        raise changed_on_the_way(source)
            except VariantPublishError as error:
                if target.exists():  # another writer was first
                    self._compare(key, sha256, error)
                    return Outcome.ALREADY_THERE
                raise
        return Outcome.CREATED

    def swap(self, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int) -> bool:
        """Replace a file if its content still has the hash `etag`."""
        with self._readable(), self._locked():
            found = self.read(key)
            if (found.etag if found else None) != etag:
                return False
            with replacing(self._path(key)) as stream:
                stream.write(content)
        return True

    def keys(self, prefix: str) -> Iterator[Listed]:
        """Return the files; those on their way and the lock are not part of the index."""
        with self._readable():
            for path in sorted(self.folder.rglob("*")):
                key = path.relative_to(self.folder).as_posix()
                if key.startswith(prefix) and path.is_file() and not path.match(_ON_THE_WAY) and key != LOCK:
                    found = path.stat()
                    yield Listed(key, found.st_size, _iso(found.st_mtime))

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Read a piece of a file."""
        with self._readable(), self._path(key).open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    def digest(self, key: str) -> str:
        """Hash a file."""
        with self._readable(), self._path(key).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def delete(self, key: str) -> None:
        """Remove a file, and its folder where that is empty then."""
        with self._readable():
            path = self._path(key)
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()

    def pending(self) -> tuple[Pending, ...]:
        """Return the files that a killed job left beside their places."""
        with self._readable():
            found = sorted(self.folder.rglob(_ON_THE_WAY))
            keys = [(path, path.relative_to(self.folder).as_posix()) for path in found]
            return tuple(Pending(key, _iso(path.stat().st_mtime), key) for path, key in keys)

    def end(self, pending: Pending) -> None:
        """Remove such a file."""
        with self._readable():
            self._path(pending.id).unlink(missing_ok=True)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _path(self, key: str) -> Path:
        return self.folder / key

    def _compare(self, key: str, sha256: str, cause: Exception | None = None) -> None:
        with self._path(key).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise conflict(self.describe(), key) from cause

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VariantPublishError(
                f"{self.describe()} cannot be used ({error.strerror}: {error.filename})",
                hint="give yourself the right to write there, or name another folder as file:DIR",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._path(LOCK)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            _lock(stream)
            try:
                yield
            finally:
                _unlock(stream)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _copy(source: Path | bytes, target: BinaryIO, advance: Advance) -> str:
    digest = hashlib.sha256()
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
            advance(len(chunk))
    return digest.hexdigest()


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: BinaryIO) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)

    def _unlock(stream: BinaryIO) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(stream: BinaryIO) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX)

    def _unlock(stream: BinaryIO) -> None:
        fcntl.flock(stream, fcntl.LOCK_UN)
