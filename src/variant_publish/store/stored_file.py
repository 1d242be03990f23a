"""Files that a store makes of what it has: a copy, or a file that begins like another one."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.store.objects import Stat

_PIECE = 8 * 1024 * 1024


class FileStore(Protocol):
    """What a stored file asks of its store."""

    def describe(self) -> str:
        """Return the name of the store for people."""
        ...

    def stat(self, key: str) -> Stat | None:
        """Return what is known of an object; None where there is none."""
        ...

    def read_range(self, key: str, offset: int, length: int, etag: str = "") -> bytes:
        """Return a piece of an object, which must have `etag` where one is given."""
        ...


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a store as it was at one moment; a source for `Store.create`, which then sends no byte."""

    store: FileStore
    key: str
    stat: Stat

    @classmethod
    def of(cls, store: FileStore, key: str) -> StoredFile:
        """Look at a file; raise VariantPublishError where it is not there."""
        found = store.stat(key)
        if found is None:
            raise VariantPublishError(f"{store.describe()}: {key} is not there any more", hint="run the command again")
        return cls(store, key, found)

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        return self.stat.size

    def read_range(self, offset: int, length: int) -> bytes:
        """Return a piece of the file; raise VariantPublishError where it is another one by now."""
        return self.store.read_range(self.key, offset, length, self.stat.etag)

    def pieces(self) -> Iterator[bytes]:
        """Read the file from beginning to end."""
        for offset in range(0, self.size, _PIECE):
            yield self.read_range(offset, min(_PIECE, self.size - offset))

    def has(self, size: int, sha256: str) -> bool:
        """Return whether the file has these bytes; one of another size is not read."""
        if self.size != size:
            return False
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest() == sha256

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Yield a copy of the file on this machine."""
        with TemporaryDirectory(prefix="variant-publish-") as folder:
            path = Path(folder) / "file"
            with path.open("wb") as stream:
                stream.writelines(self.pieces())
            yield path


class SplicedFile(msgspec.Struct, frozen=True):
    """A file of `size` bytes whose first `shared` are those of a stored one; only the others are sent.

    `path` has the others from `offset` on.
    """

    base: StoredFile
    shared: int
    size: int
    path: Path
    offset: int

    def read(self, offset: int, length: int) -> bytes:
        """Return a range of the file."""
        head = self.base.read_range(offset, min(length, self.shared - offset)) if offset < self.shared else b""
        with self.path.open("rb") as stream:
            stream.seek(max(offset, self.shared) - self.shared + self.offset)
            return head + stream.read(length - len(head))

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Yield the whole file on this machine."""
        if self.offset == self.shared:  # the file itself
            yield self.path
            return
        with self.base.local() as path:
            with path.open("r+b") as stream, self.path.open("rb") as rest:
                stream.truncate(self.shared)
                stream.seek(self.shared)
                rest.seek(self.offset)
                shutil.copyfileobj(rest, stream, _PIECE)
            yield path


def spliced(path: Path, beside: Path, base: StoredFile) -> SplicedFile:
    """Return a file as one that begins like the stored `base`, whose bytes lie `beside`."""
    shared = 0
    with path.open("rb") as one, beside.open("rb") as other:
        while (piece := one.read(_PIECE)) and piece == (twin := other.read(_PIECE)):
            shared += len(piece)
    if piece:
        shared += next(
            (at for at, (a, b) in enumerate(zip(piece, twin, strict=False)) if a != b), min(len(piece), len(twin))
        )
    return SplicedFile(base, shared, path.stat().st_size, path, shared)
