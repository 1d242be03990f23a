"""A bucket as a store: Amazon S3, and what is compatible with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.progress import Advance
from variant_publish.store.bucket import Bucket
from variant_publish.store.multipart import (
    MOST_PARTS,
    PART,
    Multipart,
    PartsUpload,
    composite_of,
    md5_of_parts,
    part_size,
    upload_id_of,
)
from variant_publish.store.objects import (
    CANARY,
    TEXT,
    UPLOADS,
    Listed,
    ObjectHeaders,
    Pending,
    PutResult,
    Stat,
    Stored,
    generation_of,
    iso,
)
from variant_publish.store.page_cache import PageCache
from variant_publish.store.s3_errors import ABSENT, LOST, RACE, UNCHANGED, StoreError
from variant_publish.store.server_copy import COPY_PART, CopySource, ServerCopy
from variant_publish.store.store import CANARY_CONTENT, Source, Store
from variant_publish.store.stored_file import SplicedFile, StoredFile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

TIMEOUT_S = 60.0
_CHUNK = 1024 * 1024
_MD5_DIGITS = 32


class S3Store(Store):
    """Keep an index under `s3://BUCKET/PREFIX`, or in the like of it at `endpoint_url`."""

    packs = repeats = True
    part_size = PART
    copy_part = COPY_PART

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        part_size: int | None = None,
        attempts: int = Store.attempts,
        timeout: float = TIMEOUT_S,
    ) -> None:
        super().__init__()
        self.attempts = attempts
        self.part_size = part_size or self.part_size
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.bucket = Bucket(bucket, self.prefix, endpoint_url, attempts, timeout)
        self.pages = PageCache.of_user(self.describe())

    @property
    def client(self) -> S3Client:
        """Return boto3's client."""
        return self.bucket.client

    def describe(self) -> str:
        """Return the bucket and the prefix."""
        return self.bucket.describe()

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return both keys of a page: web hosting opens index.html, the REST endpoint the name with its slash."""
        slash = (folder,) if self.prefix + folder else ()
        return (f"{folder}index.html", *slash)

    def how_to_open(self) -> str:
        """Return what the bucket policy must have."""
        return (
            f"allow s3:GetObject on {self.describe()}/* to everybody, or to the CDN in front, in the bucket policy"
            " (the starter bucket-policy.json of 'variant-publish init' has it)"
        )

    def close(self) -> None:
        """Close the client's connections."""
        self.bucket.close()

    def _get(self, key: str, known: Stored | None) -> Stored | None:
        condition: dict[str, Any] = {"IfNoneMatch": known.etag} if known is not None else {}
        try:
            with self._translated(key):
                answer = self.client.get_object(**self.bucket.place(key), **condition)
                with closing(answer["Body"]) as body:
                    content = body.read()
        except StoreError as error:
            if error.code in ABSENT:
                return None
            if error.code in UNCHANGED and known is not None:
                return known
            raise
        return Stored(content, self.bucket.field(answer, "ETag", key))

    def _head(self, key: str) -> Stat | None:
        try:
            with self._translated(key):
                answer = self.client.head_object(**self.bucket.place(key), ChecksumMode="ENABLED")
        except StoreError as error:
            if error.code in ABSENT:
                return None
            raise
        size, etag = (self.bucket.field(answer, name, key) for name in ("ContentLength", "ETag"))
        sha256, metadata = answer.get("ChecksumSHA256", ""), answer.get("Metadata", {})
        checksum = sha256 or answer.get("ChecksumCRC32") or etag
        own = metadata.get("sha256") or _hex_of(sha256)
        return Stat(size, own, checksum.strip('"'), etag, generation_of(metadata))

    def _put(self, key: str, content: bytes, headers: ObjectHeaders, etag: str | None) -> PutResult:
        fixed = {**_fixed(headers), **({"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag})}
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        try:
            with self._translated(key):
                answer = self.client.put_object(**self.bucket.place(key), **fixed, Body=content, ChecksumSHA256=digest)
        except StoreError as error:
            if error.code in LOST or (error.code in ABSENT and etag is not None):
                return PutResult.LOST
            if error.code in RACE:
                return PutResult.RACE
            raise
        if headers.generation is not None:
            self.tags[key] = answer.get("ETag", "")
        return PutResult.WRITTEN

    def _put_large(self, key: str, path: Path, headers: ObjectHeaders, advance: Advance) -> PutResult:
        return Multipart(self.bucket, key, path, headers.sha256, self.part_size).send(_fixed(headers), advance)

    def _put_copy(
        self, key: str, source: StoredFile | SplicedFile, headers: ObjectHeaders, advance: Advance
    ) -> PutResult | None:
        stored = source if isinstance(source, StoredFile) else source.base
        origin = stored.store
        if not isinstance(origin, S3Store) or origin.bucket.endpoint_url != self.bucket.endpoint_url or not stored.size:
            return None
        size = source.size
        if size > MOST_PARTS * self.copy_part:
            return None
        if isinstance(source, StoredFile):
            part, rest, shared = self.copy_part, None, size
        else:
            part, rest, shared = part_size(size, self.part_size), source.read, source.shared
            if shared < part:
                return None
        self._probe(in_parts=True)
        copied = CopySource(origin.bucket.name, origin.prefix + stored.key, stored.stat.etag, shared)
        return ServerCopy(self.bucket, key, copied, _fixed(headers), part, rest).make(size, advance)

    def _goes_in_parts(self, size: int) -> bool:
        return size > self.part_size

    def _proves(self, found: Stat, source: Source) -> bool:
        """Return whether S3's checksum of an object is that of these bytes: a SHA-256, CRCs of the parts, or MD5s."""
        if isinstance(source, StoredFile | SplicedFile):
            return False
        checksum, _, parts = found.checksum.partition("-")
        if isinstance(source, Path) and source.stat().st_size != found.size:
            return False
        if isinstance(source, Path) and parts:
            computed = md5_of_parts if len(checksum) == _MD5_DIGITS else composite_of
            return computed(source, self.part_size) == found.checksum
        if isinstance(source, Path) and self._goes_in_parts(found.size):
            return False
        content = source if isinstance(source, bytes) else source.read_bytes()
        sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
        return checksum in (sha256, hashlib.md5(content, usedforsecurity=False).hexdigest())

    def _put_canary_in_parts(self) -> PutResult:
        upload = PartsUpload.begin(self.bucket, CANARY, _fixed(ObjectHeaders(TEXT, "", 0)))
        try:
            return upload.finish(lambda: [upload.put(1, CANARY_CONTENT)])
        except BaseException:
            upload.abort()
            raise

    def _list(self, prefix: str) -> Iterator[Listed]:
        """List objects, a thousand to a request."""
        with self._translated(prefix):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket.name, Prefix=self.prefix + prefix):
                for item in page.get("Contents", []):
                    yield Listed(item["Key"].removeprefix(self.prefix), item["Size"], iso(item["LastModified"]))

    def _range(self, key: str, offset: int, length: int, etag: str) -> bytes:
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {}
        with self._translated(key):
            answer = self.client.get_object(
                **self.bucket.place(key), Range=f"bytes={offset}-{offset + length - 1}", **condition
            )
            with closing(answer["Body"]) as body:
                return body.read()

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._translated(key):
            answer = self.client.get_object(**self.bucket.place(key))
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(_CHUNK)

    def _delete(self, key: str) -> None:
        with self._translated(key):
            self.client.delete_object(**self.bucket.place(key))

    def _pending(self) -> Iterator[Pending]:
        """List the uploads in parts under the prefix."""
        return self.bucket.pending()

    def _end(self, pending: Pending) -> None:
        """Abort an upload in parts, and remove the note of it."""
        self.bucket.abort(pending.key, pending.id)
        if pending.key == CANARY:
            return
        for item in list(self._list(UPLOADS)):
            note = self._get(item.key, None)
            if note is not None and upload_id_of(note.content) == pending.id:
                self._delete(item.key)

    def _translated(self, key: str = "") -> AbstractContextManager[None]:
        return self.bucket.translated(key)


def _fixed(headers: ObjectHeaders) -> Mapping[str, Any]:
    """Return what an object is stored with."""
    found = {"ContentType": headers.content_type, "CacheControl": headers.cache_control, "Metadata": headers.metadata}
    return {**found, "ContentEncoding": "gzip"} if headers.is_packed else found


def _hex_of(checksum: str) -> str | None:
    """Return S3's own SHA-256 in hex, where it is that of the whole object: a hash of hashes ends in a number."""
    return base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None
