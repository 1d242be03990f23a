"""Store: what publishing asks of the place that an index lies in, be it a folder or a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance

HTML = "text/html; charset=utf-8"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
JSON = "application/json"
TOML = "application/toml"
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

CANARY = ".variant-publish/conditions"
"""The object by which a store is tried: it can be written once, and it can be asked for at the public address."""

_TYPES = {".html": HTML, ".json": JSON, ".toml": TOML, ".metadata": TEXT}


class Conflict(VariantPublishError):
    """Report bytes that stand under a name already and are not ours; nothing is ever overwritten."""


class Outcome(StrEnum):
    """Tell what `Store.create` found."""

    CREATED = "created"
    ALREADY_THERE = "already there"


@dataclass(frozen=True, slots=True)
class Stored:
    """A page as it was read: its bytes, the tag to swap it by, and the master's generation it was written with.

    `generation` is 0 where the store has no place for it.
    """

    content: bytes
    etag: str
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of an object without reading it; `sha256` is None where the store does not keep it."""

    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing tells of an object; `modified` is ISO 8601 in UTC."""

    key: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An upload that was begun and not finished: it costs storage until it is ended."""

    key: str
    begun: str
    id: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a store as it was at one moment: a source for `Store.create`."""

    store: Store
    key: str
    size: int
    etag: str = ""

    @classmethod
    def of(cls, store: Store, key: str) -> StoredFile:
        """Look at a file; raise VariantPublishError where it is not there."""
        found = store.stat(key)
        if found is None:
            raise VariantPublishError(f"{store.describe()}: {key} is not there any more", hint="run the command again")
        return cls(store, key, found.size)

    def read_range(self, offset: int, length: int) -> bytes:
        """Read a piece of the file."""
        return self.store.read_range(self.key, offset, length)

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """Yield a copy of the file on this machine."""
        with TemporaryDirectory(prefix="variant-publish-") as folder:
            path = Path(folder) / "file"
            with path.open("wb") as stream:
                for offset in range(0, self.size, 8 * 1024 * 1024):
                    stream.write(self.read_range(offset, min(8 * 1024 * 1024, self.size - offset)))
            yield path


class Store(Protocol):
    """Keep the objects of one index under keys like `NAME/index.json`; files for good, pages until swapped.

    None means "not found" and nothing else: every other trouble raises VariantPublishError.
    """

    def describe(self) -> str:
        """Name the store for people, without credentials."""
        ...

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return the keys under which clients ask for the page of a folder ("" or "NAME/")."""
        ...

    def preflight(self, largest: int = 0) -> None:
        """Raise VariantPublishError unless the store is there, honours conditions, and takes `largest` bytes."""

    def read(self, key: str) -> Stored | None:
        """Read a page, or give None where there is none."""
        ...

    def stat(self, key: str) -> Stat | None:
        """Look at an object without reading it, or give None where there is none."""
        ...

    def create(
        self, key: str, source: Path | bytes | StoredFile, *, sha256: str, content_type: str, advance: Advance = ...
    ) -> Outcome:
        """Write an object that must not be there with other bytes, or raise Conflict.

        `sha256` is the hash that the bytes must have; `advance` is told of bytes sent or found.
        """
        ...

    def swap(self, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int) -> bool:
        """Write a page if it still has `etag` (None: if it is not there); False: somebody else was first."""
        ...

    def keys(self, prefix: str) -> Iterator[Listed]:
        """Return every object whose key begins with `prefix`; publishing itself never lists."""
        ...

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Read at most `length` bytes of an object; raise VariantPublishError where it is not there."""
        ...

    def digest(self, key: str) -> str:
        """Read an object and give its SHA-256."""
        ...

    def delete(self, key: str) -> None:
        """Take an object away; one that is not there is no error."""

    def pending(self) -> tuple[Pending, ...]:
        """Return the uploads that were cut off, or are on their way."""
        ...

    def end(self, pending: Pending) -> None:
        """End an upload that was cut off; one that is not there any more is no error."""

    def close(self) -> None:
        """Close connections; the next use opens them again."""


def content_type_of(key: str) -> str:
    """Return the content type of a file by its name."""
    return _TYPES.get(Path(key).suffix, BINARY)


def conflict(place: str, key: str) -> Conflict:
    """Make the error for other bytes under a key."""
    return Conflict(
        f"{place}: {key} is there already with other bytes",
        hint="a published name is never used twice: build the file with a new version or build tag",
    )


def changed_on_the_way(source: Path | bytes) -> VariantPublishError:
    """Make the error for a file that no longer has the hash it was planned with."""
    name = source if isinstance(source, Path) else "the content"
    return VariantPublishError(
        f"{name} changed while it was being published", hint="let the build finish, then run the command again"
    )


def ignore(count: int) -> None:
    """Take progress and drop it."""
