"""Containers of Azure and buckets of Google Cloud as stores, by obstore, which is an extra."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.model.url import redact
from variant_publish.progress import Advance
from variant_publish.store.objects import (
    UPLOADS,
    CutOff,
    Listed,
    ObjectHeaders,
    Pending,
    PutResult,
    Stat,
    Stored,
    changed_on_the_way,
    generation_of,
    iso,
)
from variant_publish.store.page_cache import PageCache
from variant_publish.store.store import Store

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import AzureStore, GCSStore

_LARGE = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_HINTS = {
    "UnauthenticatedError": "log in, or set the AZURE_STORAGE_* or GOOGLE_* variables",
    "PermissionDeniedError": "allow reading, writing, listing and deleting on the container",
}


class CloudStore(Store):
    """Keep an index under `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`; obstore finds the credentials."""

    packs = repeats = True

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
        from obstore.exceptions import NotModifiedError

        options: GetOptions = {"if_none_match": known.etag.partition("|")[0]} if known is not None else {}
        try:
            found = self._found(key, options)
        except NotModifiedError:
            return known
        if found is None:
            return None
        with self._translated(key):
            return Stored(bytes(found.bytes()), _tag(found.meta))

    def _found(self, key: str, options: GetOptions) -> Any:
        """Return the answer to a request; None where nothing is there."""
        from obstore.exceptions import NotFoundError

        with suppress(NotFoundError, FileNotFoundError):
            return self._open(key, options)
        return None

    def _open(self, key: str, options: GetOptions) -> Any:
        import obstore

        with self._translated(key):
            return obstore.get(self.opened, key, options=options)

    def _head(self, key: str) -> Stat | None:
        if (found := self._found(key, {"head": True})) is None:
            return None
        meta, own = found.meta, found.attributes
        return Stat(meta["size"], own.get("sha256"), etag=_tag(meta), generation=generation_of(own))

    def _put(self, key: str, content: bytes, headers: ObjectHeaders, etag: str | None) -> PutResult:
        import obstore

        tag, _, version = (etag or "").partition("|")
        mode: Any = "create" if etag is None else {"e_tag": tag, "version": version or tag}
        attributes = _attributes(headers)
        return self._write(
            key,
            lambda: obstore.put(self.opened, key, content, attributes=attributes, mode=mode, use_multipart=False),
            absent=None if etag is None else PutResult.LOST,
        )

    def _goes_in_parts(self, size: int) -> bool:
        return size > _LARGE

    def _put_large(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        import obstore

        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    advance(len(chunk))
                    yield chunk

        # The copy to its name is what has the condition that this is free.
        sent, attributes = f"{UPLOADS}{secrets.token_hex(16)}", _attributes(headers)
        try:
            self._write(
                sent, lambda: obstore.put(self.opened, sent, pieces(), attributes=attributes, chunk_size=_LARGE)
            )
            if digest.hexdigest() != headers.sha256:
                raise changed_on_the_way(path)
            # Whoever ends old uploads may have taken it for one of these.
            return self._write(
                key, lambda: obstore.copy(self.opened, sent, key, overwrite=False), absent=PutResult.RACE
            )
        finally:
            with suppress(VariantPublishError):
                self._delete(sent)

    def _write(self, key: str, write: Callable[[], object], *, absent: PutResult | None = None) -> PutResult:
        """Make a request that writes on a condition; `absent` is what comes out where what it names is not there."""
        from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError

        try:
            with self._translated(key):
                write()
        except (AlreadyExistsError, PreconditionError):
            return PutResult.LOST
        except (NotFoundError, FileNotFoundError) as error:
            if absent is not None:
                return absent
            raise VariantPublishError(
                f"{self.describe()}: there is no such container or bucket",
                hint="create it, or correct the name in upload.extra-index",
            ) from error
        return PutResult.WRITTEN

    def _list(self, prefix: str) -> Iterator[Listed]:
        import obstore

        folder = prefix.rpartition("/")[0]  # obstore lists folders
        with self._translated(prefix):
            for batch in obstore.list(self.opened, folder or None):
                for item in batch:
                    if item["path"].startswith(prefix) and not item["path"].startswith(UPLOADS):
                        yield Listed(item["path"], item["size"], iso(item["last_modified"]))

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
                    yield Pending(item["path"], iso(item["last_modified"]), item["path"])

    def _end(self, pending: Pending) -> None:
        self._delete(pending.id)

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
    found = {"Content-Type": headers.content_type, "Cache-Control": headers.cache_control, **headers.metadata}
    return {**found, "Content-Encoding": "gzip"} if headers.is_packed else found


def _tag(meta: Mapping[str, Any]) -> str:
    """Return what a swap names: Azure compares the tag, Google the version."""
    return f"{meta.get('e_tag') or ''}|{meta.get('version') or ''}"


def _line(error: Exception) -> str:
    return redact(" ".join(str(error).split()))[:300]
