"""Containers of Azure and buckets of Google Cloud as stores, by obstore, which is an extra."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.model.url import redact
from variant_publish.progress import Advance
from variant_publish.store.objects import (
    CutOff,
    Listed,
    ObjectHeaders,
    PageTag,
    Pending,
    PutResult,
    Stat,
    Stored,
    changed_on_the_way,
)
from variant_publish.store.packing import packed, unpacked
from variant_publish.store.page_cache import PageCache
from variant_publish.store.store import Store

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import AzureStore, GCSStore

UPLOADS = ".variant-publish/uploads/"
"""Where large files are sent in parts, before they are copied to their names on the condition that these are free."""

_LARGE = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_HINTS = {
    "UnauthenticatedError": "log in, or set the AZURE_STORAGE_* or GOOGLE_* variables",
    "PermissionDeniedError": "allow reading, writing, listing and deleting on the container",
}


class CloudStore(Store):
    """Keep an index under `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`; obstore finds the credentials."""

    repeats = True

    def __init__(self, place: str, opened: AzureStore | GCSStore) -> None:
        super().__init__()
        self.place = place
        self.opened = opened
        self.pages = PageCache.of_user(place)

    @classmethod
    def open(cls, scheme: str, bucket: str, prefix: str, endpoint_url: str | None) -> CloudStore:
        """Open a container or bucket; raise UsageError where obstore is not installed."""
        try:
            from obstore.store import AzureStore, GCSStore
        except ImportError as error:
            raise UsageError(
                f"{scheme}:// needs obstore", hint="install it: pip install 'variant-publish[azure]'"
            ) from error
        prefix = prefix.strip("/")
        place = f"{scheme}://{bucket}/{prefix}".rstrip("/")
        options: Any = {"allow_http": bool(endpoint_url and endpoint_url.startswith("http:"))}
        if scheme == "gs":
            return cls(place, GCSStore(bucket, prefix=prefix or None, client_options=options))
        config: Any = {"azure_endpoint": endpoint_url} if endpoint_url else {}
        return cls(place, AzureStore(bucket, prefix=prefix or None, config=config, client_options=options))

    def describe(self) -> str:
        """Return the container or bucket, and the prefix."""
        return self.place

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return the one object that website hosting opens for a folder."""
        return (f"{folder}index.html",)

    def close(self) -> None:
        """Do nothing: obstore closes its connections."""

    def _get(self, key: str, known: Stored | None) -> Stored | None:
        options: GetOptions = {"if_none_match": known.etag.partition("|")[0]} if known is not None else {}
        with self._found(key) as found:
            found.append(self._open(key, options))
        if not found:
            return None if known is None or not self._is_unchanged(key, known) else known
        with self._translated(key):
            content, meta, attributes = bytes(found[0].bytes()), found[0].meta, found[0].attributes
        return Stored(self._plain(content, key), _tag(meta), _generation(attributes) or 0)

    def _is_unchanged(self, key: str, known: Stored) -> bool:
        tag = self._tag(key)
        return tag is not None and tag.etag == known.etag

    def _plain(self, content: bytes, key: str) -> bytes:
        # A store may unpack a page for those who do not ask for gzip.
        result = unpacked(content) if content[:2] == b"\x1f\x8b" else content
        if result is None:
            raise CutOff(
                f"{self.describe()}: {key} is not a whole page", hint="restore an earlier version of the object"
            )
        return result

    def _open(self, key: str, options: GetOptions) -> Any:
        import obstore

        with self._translated(key):
            return obstore.get(self.opened, key, options=options)

    def _tag(self, key: str) -> PageTag | None:
        with self._found(key) as found:
            found.append(self._open(key, {"head": True}))
        if not found:
            return None
        attributes = found[0].attributes
        return PageTag(_tag(found[0].meta), str(attributes.get("sha256", "")), _generation(attributes))

    def _head(self, key: str) -> Stat | None:
        with self._found(key) as found:
            found.append(self._open(key, {"head": True}))
        if not found:
            return None
        return Stat(found[0].meta["size"], found[0].attributes.get("sha256"), etag=_tag(found[0].meta))

    def _put(self, key: str, content: bytes, headers: ObjectHeaders, etag: str | None) -> PutResult:
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError

        attributes = _attributes(headers)
        if headers.generation is not None and (small := packed(content)) is not None:
            content, attributes = small, {**attributes, "Content-Encoding": "gzip"}
        tag, _, version = (etag or "").partition("|")
        mode: Any = "create" if etag is None else {"e_tag": tag, "version": version or tag}
        try:
            with self._translated(key):
                obstore.put(self.opened, key, content, attributes=attributes, mode=mode, use_multipart=False)
        except (AlreadyExistsError, PreconditionError, NotFoundError, FileNotFoundError):
            return PutResult.LOST
        return PutResult.WRITTEN

    def _put_file(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        if path.stat().st_size <= _LARGE:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != headers.sha256:
                raise changed_on_the_way(path)
            result = self._put(key, content, headers, None)
            if result is PutResult.WRITTEN:
                advance(len(content))
            return result
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    advance(len(chunk))
                    yield chunk

        sent = f"{UPLOADS}{secrets.token_hex(16)}"
        try:
            with self._translated(key):
                obstore.put(self.opened, sent, pieces(), attributes=_attributes(headers), chunk_size=_LARGE)
                if digest.hexdigest() != headers.sha256:
                    raise changed_on_the_way(path)
                obstore.copy(self.opened, sent, key, overwrite=False)
        except (AlreadyExistsError, PreconditionError):
            return PutResult.LOST
        finally:
            with suppress(VariantPublishError):
                self._delete(sent)
        return PutResult.WRITTEN

    def _list(self, prefix: str) -> Iterator[Listed]:
        import obstore

        folder = prefix.rpartition("/")[0]  # obstore lists folders
        with self._translated(prefix):
            for batch in obstore.list(self.opened, folder or None):
                for item in batch:
                    if item["path"].startswith(prefix) and not item["path"].startswith(UPLOADS):
                        yield Listed(item["path"], item["size"], _iso(item["last_modified"]))

    def _range(self, key: str, offset: int, length: int, etag: str) -> bytes:
        options: GetOptions = {"range": (offset, offset + length)}
        if etag:
            options["if_match"] = etag.partition("|")[0]
        with self._present(key):
            return bytes(self._open(key, options).bytes())

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._present(key):
            for chunk in self._open(key, {}).stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    @contextmanager
    def _present(self, key: str) -> Iterator[None]:
        """Raise an error of ours where an object is not there, or is another one by now."""
        from obstore.exceptions import NotFoundError, PreconditionError

        try:
            with self._translated(key):
                yield
        except (NotFoundError, FileNotFoundError, PreconditionError) as error:
            raise VariantPublishError(
                f"{self.describe()}: {key} is not there, or was changed", hint="run the command again"
            ) from error

    def _delete(self, key: str) -> None:
        import obstore
        from obstore.exceptions import NotFoundError

        with suppress(NotFoundError, FileNotFoundError), self._translated(key):
            obstore.delete(self.opened, key)

    def _pending(self) -> Iterator[Pending]:
        """Return the large files that were sent and not copied to their names."""
        import obstore

        with self._translated():
            for batch in obstore.list(self.opened, UPLOADS):
                for item in batch:
                    yield Pending(item["path"], _iso(item["last_modified"]), item["path"])

    def _end(self, pending: Pending) -> None:
        self._delete(pending.id)

    @contextmanager
    def _found(self, key: str) -> Iterator[list[Any]]:
        """Yield a list for what is there; it stays empty where nothing is, or nothing new."""
        from obstore.exceptions import NotFoundError, NotModifiedError

        with suppress(NotFoundError, FileNotFoundError, NotModifiedError):
            yield []

    @contextmanager
    def _translated(self, key: str = "") -> Iterator[None]:
        """Raise obstore's errors as ours, but for those that say what is there."""
        from obstore import exceptions

        where = f"{self.describe()}: {key}" if key else self.describe()
        answers = (
            exceptions.AlreadyExistsError,
            FileNotFoundError,
            exceptions.NotFoundError,
            exceptions.NotModifiedError,
            exceptions.PreconditionError,
        )
        try:
            yield
        except answers:
            raise
        except exceptions.GenericError as error:
            raise CutOff(
                f"{where}: no whole answer ({_line(error)})", hint="check the network, then run the command again"
            ) from error
        except exceptions.BaseError as error:
            hint = _HINTS.get(type(error).__name__, "see the documentation of the store for this answer")
            raise VariantPublishError(f"{where}: {_line(error)}", hint=hint) from error


def _attributes(headers: ObjectHeaders) -> dict[str, str]:
    is_page = headers.generation is not None
    cache = "public, max-age=60" if is_page else "public, max-age=31536000, immutable"
    found = {"Content-Type": headers.content_type, "Cache-Control": cache, "sha256": headers.sha256}
    return {**found, "generation": str(headers.generation)} if is_page else found


def _tag(meta: Mapping[str, Any]) -> str:
    """Return what a swap names: Azure compares the tag, Google the version."""
    return f"{meta.get('e_tag') or ''}|{meta.get('version') or ''}"


def _generation(attributes: Mapping[str, str]) -> int | None:
    text = str(attributes.get("generation", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _iso(moment: Any) -> str:
    return str(moment.replace(microsecond=0).isoformat()).replace("+00:00", "Z")


def _line(error: Exception) -> str:
    return redact(" ".join(str(error).split()))[:300]
