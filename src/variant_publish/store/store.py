"""Store: the place that an index lies in. What every store promises is written here, once above all of them.

A file is created once and never overwritten; a page is swapped only from what was read; None means "not found" and
nothing else. A store that ignores conditions is found out before the first write, and refused.
"""

from __future__ import annotations

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

from variant_publish.errors import UsageError
from variant_publish.progress import Advance
from variant_publish.store.keys import check_key
from variant_publish.store.objects import (
    CANARY,
    TEXT,
    CreateOutcome,
    CutOff,
    Listed,
    ObjectHeaders,
    Pending,
    PutResult,
    Stat,
    Stored,
    changed_on_the_way,
    conflict,
    contended,
    ignore,
)
from variant_publish.store.packing import MAGIC, packed, unpacked
from variant_publish.store.page_cache import NO_CACHE
from variant_publish.store.stored_file import SplicedFile, StoredFile

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a write that others disturb."""

CANARY_CONTENT = b"A store that ignores conditions would overwrite this.\n"
NO_TAG = "0" * 32
"""The tag of no object: a swap from it must be refused."""

R = TypeVar("R")
Source: TypeAlias = Path | bytes | StoredFile | SplicedFile


class Store(ABC):
    """Keep the objects of one index under keys like `NAME/index.json`: files for good, pages until they are swapped.

    A subclass adds the requests of one kind of store: the methods with an underscore, each of which tries once and
    raises CutOff where the answer was cut off, and VariantPublishError for other trouble.
    """

    attempts = 5
    """How often a request whose answer was cut off is made."""

    asks_first = False
    """Whether a look for a file costs less than its condition."""

    packs = False
    """Whether whoever serves pages says that they are compressed, so that they may be."""

    repeats = False
    """Whether the client repeats requests by itself, so that a write may lose against its own earlier try."""

    def __init__(self) -> None:
        self.pages = NO_CACHE
        self.tags: dict[str, str] = {}
        self._probed: set[bool] = set()
        self._lock = threading.Lock()

    @abstractmethod
    def describe(self) -> str:
        """Return the name of the store for people, without credentials."""

    @abstractmethod
    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return the keys under which clients ask for the page of a folder ("" or "NAME/")."""

    def how_to_open(self) -> str:
        """Return what to do so that users can read what lies there."""
        return f"allow everybody, or the CDN in front, to read what lies in {self.describe()}"

    def preflight(self, largest: int = 0) -> None:
        """Raise VariantPublishError unless the store is there, honours conditions, and takes `largest` bytes."""
        self._check_room(largest)
        self._probe()
        if self._goes_in_parts(largest):
            self._probe(in_parts=True)

    def read(self, key: str) -> Stored | None:
        """Return a page, or None where there is none."""
        return self._again(lambda: self._page(check_key(key), None))

    def read_again(self, key: str) -> Stored | None:
        """Return a page that is often read, or None where there is none; what did not change is not downloaded."""
        known = self.pages.get(key)
        found = self._again(lambda: self._page(check_key(key), known))
        if found is not None and found is not known:
            self.pages.put(key, found)
        return found

    def keep(self, key: str, content: bytes) -> None:
        """Keep a page that was written just now for `read_again`, where the store has said its tag."""
        if tag := self.tags.pop(key, ""):
            self.pages.put(key, Stored(content, tag))

    def tag(self, key: str) -> Stat | None:
        """Return what is known of a page and the tag to swap it by; it is read only where the store lacks them."""
        return self._again(lambda: self._tag(check_key(key)))

    def stat(self, key: str) -> Stat | None:
        """Return what is known of an object without reading it, or None where there is none."""
        return self._again(lambda: self._head(check_key(key)))

    def create(
        self, key: str, source: Source, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> CreateOutcome:
        """Write an object that must not be there with other bytes, or raise Conflict.

        `sha256` is the hash that the bytes must have; `advance` is called with the bytes sent or found. What goes in
        one request is sent without asking first, as its condition refuses it; what a store has it copies.
        """
        headers = ObjectHeaders(content_type, sha256)
        check_key(key)
        in_parts = isinstance(source, Path) and self._goes_in_parts(source.stat().st_size)
        asks = self.asks_first or in_parts or not isinstance(source, bytes | Path)
        if asks and not isinstance(source, bytes) and self._has(key, source, sha256, advance):
            return CreateOutcome.ALREADY_THERE
        self._probe()
        if in_parts:
            self._probe(in_parts=True)
        for is_last in self._tries(key):
            try:
                result = self._put_source(key, source, headers, advance)
            except CutOff:
                if is_last:
                    raise
                result = PutResult.LOST  # what is there decides
            if result is PutResult.WRITTEN:
                return CreateOutcome.CREATED
            if self._has(key, source, sha256, advance):
                return CreateOutcome.ALREADY_THERE
        raise AssertionError  # _tries raises first

    def swap(self, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int) -> bool:
        """Write a page if it still has `etag` (None: if it is not there); False: somebody else was first."""
        small = packed(content) if self.packs else None
        headers = ObjectHeaders(content_type, hashlib.sha256(content).hexdigest(), generation, small is not None)
        check_key(key)
        self._probe()
        for is_last in self._tries(key):
            try:
                result = self._put(key, small or content, headers, etag)
            except CutOff:
                if is_last:
                    raise
                result = PutResult.RACE
            if result is PutResult.WRITTEN:
                return True
            if (self.repeats or result is PutResult.RACE) and self._holds(key, content):
                return True  # a try that was answered too late has won, and its repetition lost against it
            if result is PutResult.LOST:
                return False
        raise AssertionError  # _tries raises first

    def keys(self, prefix: str) -> Iterator[Listed]:
        """Return every object whose key begins with `prefix`; publishing lists one release at most."""
        yield from self._again(lambda: list(self._list(check_key(prefix))))

    def read_range(self, key: str, offset: int, length: int, etag: str = "") -> bytes:
        """Return at most `length` bytes of an object; raise VariantPublishError where it is not there.

        With `etag` it must be the object that had this tag.
        """
        return self._again(lambda: self._range(check_key(key), offset, length, etag))

    def digest(self, key: str) -> str:
        """Read an object and return its SHA-256: what its headers say may be missing or wrong."""

        def read() -> str:
            digest = hashlib.sha256()
            for chunk in self._chunks(check_key(key)):
                digest.update(chunk)
            return digest.hexdigest()

        return self._again(read)

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        check_key(key)
        self._probe()
        self._again(lambda: self._delete(key))

    def pending(self) -> tuple[Pending, ...]:
        """Return the uploads that were cut off, or are on their way."""
        return self._again(lambda: tuple(self._pending()))

    def end(self, pending: Pending) -> None:
        """End an upload that was cut off; one that is not there any more is no error."""
        self._again(lambda: self._end(pending))

    @abstractmethod
    def close(self) -> None:
        """Close connections; the next use opens them again."""

    def _has(self, key: str, source: Source, sha256: str, advance: Advance) -> bool:
        """Return whether an object is there with these bytes; raise Conflict where it has others."""
        found = self.stat(key)
        if found is None:
            return False
        # Headers are words: they are believed where the store's own checksum bears them out, else the bytes decide.
        if (found.sha256 != sha256 or not self._proves(found, source)) and self.digest(key) != sha256:
            raise conflict(self.describe(), key)
        advance(found.size)
        return True

    def _page(self, key: str, known: Stored | None) -> Stored | None:
        found = self._get(key, known)
        # Some who serve a page unpack it for those who do not ask for gzip, and say so or not: the bytes tell.
        if found is None or found is known or not found.content.startswith(MAGIC):
            return found
        if (content := unpacked(found.content)) is None:
            raise CutOff(
                f"{self.describe()}: {key} is not a whole page", hint="restore an earlier version of the object"
            )
        return Stored(content, found.etag)

    def _holds(self, key: str, content: bytes) -> bool:
        found = self.read(key)
        return found is not None and found.content == content

    def _put_source(self, key: str, source: Source, headers: ObjectHeaders, advance: Advance) -> PutResult:
        if isinstance(source, bytes):
            return self._put_bytes(key, source, source, headers, advance)
        if isinstance(source, Path):
            return self._put_file(key, source, headers, advance)
        if (result := self._put_copy(key, source, headers, advance)) is not None:
            return result
        with source.local() as path:  # the store cannot copy it
            return self._put_file(key, path, headers, advance)

    def _put_copy(
        self, key: str, source: StoredFile | SplicedFile, headers: ObjectHeaders, advance: Advance
    ) -> PutResult | None:
        """Make a file of one that lies in this kind of store, if its key is free; None where the store cannot."""
        return None

    def _put_file(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        """Write a file if its key is free; raise VariantPublishError where it has another hash than its headers."""
        if self._goes_in_parts(path.stat().st_size):
            return self._put_large(key, path, headers, advance)
        return self._put_bytes(key, path, path.read_bytes(), headers, advance)

    def _put_bytes(
        self, key: str, source: Path | bytes, content: bytes, headers: ObjectHeaders, advance: Advance
    ) -> PutResult:
        if hashlib.sha256(content).hexdigest() != headers.sha256:
            raise changed_on_the_way(source)
        result = self._put(key, content, headers, None)
        if result is PutResult.WRITTEN:
            advance(len(content))
        return result

    def _put_large(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        """Write a file in parts, as `_put_file` does."""
        raise NotImplementedError

    def _again(self, request: Callable[[], R]) -> R:
        """Make a request until its answer is whole."""
        for left in reversed(range(self.attempts)):
            try:
                return request()
            except CutOff:
                if not left:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _tries(self, key: str) -> Iterator[bool]:
        """Yield before each try of a write whether it is the last one."""
        for number, pause in enumerate(PAUSES, 1):
            yield number == len(PAUSES)
            time.sleep(pause)
        raise contended(self.describe(), key)

    def _probe(self, *, in_parts: bool = False) -> None:
        """Raise UsageError where the store ignores conditions; it is asked once, before the first write."""
        with self._lock:
            if in_parts in self._probed:
                return
            if in_parts:
                self._expect_refusal("If-None-Match when an upload in parts is completed", self._put_canary_in_parts)
            else:
                if self._put_canary(None) is PutResult.WRITTEN:  # the first time it may be
                    self._expect_refusal("If-None-Match", lambda: self._put_canary(None))
                self._expect_refusal("If-Match", lambda: self._put_canary(NO_TAG))
            self._probed.add(in_parts)

    def _expect_refusal(self, condition: str, put: Callable[[], PutResult]) -> None:
        if put() is PutResult.WRITTEN:
            raise UsageError(
                f"{self.describe()} ignores {condition}, so two jobs could overwrite each other's work",
                hint="use a store with conditional writes: Amazon S3 has them, so have recent releases of most others",
            )

    def _put_canary(self, etag: str | None) -> PutResult:
        headers = ObjectHeaders(TEXT, hashlib.sha256(CANARY_CONTENT).hexdigest(), 0)
        for is_last in self._tries(CANARY):
            try:
                result = self._put(CANARY, CANARY_CONTENT, headers, etag)
            except CutOff:
                if is_last:
                    raise
                continue
            if result is not PutResult.RACE:
                return result
        raise AssertionError  # _tries raises first

    def _check_room(self, largest: int) -> None:  # noqa: B027 - most stores have no end
        """Raise VariantPublishError where the store cannot take a file of `largest` bytes."""

    def _goes_in_parts(self, size: int) -> bool:
        """Return whether a file of this size is sent in parts."""
        return False

    def _proves(self, found: Stat, source: Source) -> bool:
        """Return whether the store's own checksum says that the object has these bytes."""
        return False

    def _put_canary_in_parts(self) -> PutResult:
        """Write the canary, which is there, in parts, on the condition that it is not there."""
        return PutResult.LOST

    def _tag(self, key: str) -> Stat | None:
        return self._head(key)

    @abstractmethod
    def _get(self, key: str, known: Stored | None) -> Stored | None:
        """Return a page as it is stored, or `known` itself where it is still that."""

    @abstractmethod
    def _head(self, key: str) -> Stat | None: ...

    @abstractmethod
    def _put(self, key: str, content: bytes, headers: ObjectHeaders, etag: str | None) -> PutResult:
        """Write an object if it has `etag` (None: if it is not there)."""

    @abstractmethod
    def _list(self, prefix: str) -> Iterator[Listed]: ...

    @abstractmethod
    def _range(self, key: str, offset: int, length: int, etag: str) -> bytes: ...

    @abstractmethod
    def _chunks(self, key: str) -> Iterator[bytes]: ...

    @abstractmethod
    def _delete(self, key: str) -> None: ...

    @abstractmethod
    def _pending(self) -> Iterator[Pending]: ...

    @abstractmethod
    def _end(self, pending: Pending) -> None: ...
