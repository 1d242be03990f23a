"""A bucket as a store: conditional writes keep every name for good and every page from going backwards."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from variant_publish.errors import UsageError
from variant_publish.progress import Advance
from variant_publish.store.multipart import PART, Multipart
from variant_publish.store.s3_errors import ABSENT, GONE, LOST, RACE, CutOff, StoreError, pauses, translated
from variant_publish.store.store import (
    CANARY,
    Conflict,
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

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

ATTEMPTS = 5
TIMEOUT_S = 60.0
_CANARY_CONTENT = b"An empty promise would overwrite this.\n"
_FOREVER = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=60"
_SHA256 = "sha256"
_GENERATION = "generation"


class S3Store:
    """Keep an index under `s3://BUCKET/PREFIX`, or in the like of it at `endpoint_url`; boto3 finds credentials."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        part_size: int = PART,
        attempts: int = ATTEMPTS,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.endpoint_url = endpoint_url
        self.part_size = part_size
        self.attempts = attempts
        self.timeout = timeout

    def describe(self) -> str:
        """Name the bucket and the prefix."""
        host = f" at {urlsplit(self.endpoint_url).hostname}" if self.endpoint_url else ""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + host

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Return both keys of a page: web hosting opens index.html, the REST endpoint the name with its slash."""
        slash = (folder,) if self.prefix + folder else ()
        return (f"{folder}index.html", *slash)

    @cached_property
    def client(self) -> S3Client:
        """Return the client; it may be used from several threads."""
        import boto3
        from botocore.config import Config

        with self.translated():
            # Transport errors and 5xx are tried again; a conditional write that was counted as lost because its first
            # try had won is recognised by its bytes.
            config = Config(
                retries={"mode": "standard", "total_max_attempts": self.attempts},
                connect_timeout=min(20.0, self.timeout),
                read_timeout=self.timeout,
                # Every body has a checksum in a signed header; hashing it for the signature again costs as much as
                # sending it. Without TLS it stays, as it is all that stands between a body and whoever is on the way.
                s3=None if (self.endpoint_url or "").startswith("http:") else {"payload_signing_enabled": False},
            )
            return boto3.session.Session().client("s3", endpoint_url=self.endpoint_url, config=config)

    def preflight(self, largest: int = 0) -> None:
        """Raise unless the bucket takes writes and refuses those whose condition does not hold.

        A store that ignores conditions would overwrite what others have published, so it is not used at all. Where
        `largest` bytes go in parts, the right to list uploads is tried, too.
        """
        if not self._is_refused(IfNoneMatch="*") and not self._is_refused(IfNoneMatch="*"):
            raise self._careless("If-None-Match")
        if not self._is_refused(IfMatch=f'"{"0" * 32}"'):
            raise self._careless("If-Match")
        if largest > self.part_size:
            with self.translated():
                self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix, MaxUploads=1)

    def read(self, key: str) -> Stored | None:
        """Read an object; an answer that ends too early is asked for again."""
        for left in reversed(range(self.attempts)):
            try:
                return self._read(key)
            except CutOff:
                if not left:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _read(self, key: str) -> Stored | None:
        try:
            with self.translated(key):
                answer = self.client.get_object(Bucket=self.bucket, Key=self.key(key))
                with closing(answer["Body"]) as body:
                    content = body.read()
        except StoreError as error:
            if error.code in ABSENT:
                return None
            raise
        generation = answer["Metadata"].get(_GENERATION, "")
        return Stored(content, answer["ETag"], int(generation) if generation.isdigit() else 0)

    def stat(self, key: str) -> Stat | None:
        """Ask for an object's size and for the hash in its metadata."""
        try:
            with self.translated(key):
                answer = self.client.head_object(Bucket=self.bucket, Key=self.key(key), ChecksumMode="ENABLED")
        except StoreError as error:
            if error.code in ABSENT:
                return None
            raise
        return Stat(answer["ContentLength"], _sha256_of(answer))

    def create(
        self, key: str, source: Path | bytes | StoredFile, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> Outcome:
        """Send an object unless it is there; a file with the same hash costs a HEAD request.

        A few bytes are sent without asking first: the condition refuses them where they are there.
        """
        if isinstance(source, StoredFile):
            with source.fetched() as path:
                return self.create(key, path, sha256=sha256, content_type=content_type, advance=advance)
        if isinstance(source, Path) and self.is_there(key, sha256, advance):
            return Outcome.ALREADY_THERE
        fixed = {"ContentType": content_type, "CacheControl": _FOREVER, "Metadata": {_SHA256: sha256}}
        if isinstance(source, Path) and source.stat().st_size > self.part_size:
            return Multipart(self, key, source, sha256, fixed, advance).send()
        content = source if isinstance(source, bytes) else source.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise changed_on_the_way(source)
        for pause in pauses():
            lost = self._put(key, content, IfNoneMatch="*", **fixed)
            if lost is None:
                advance(len(content))
                return Outcome.CREATED
            if lost in LOST and self.is_there(key, sha256, advance):
                return Outcome.ALREADY_THERE
            time.sleep(pause)
        raise self.contended(key)

    def swap(self, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int) -> bool:
        """Write a page on the condition that it has not changed."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        digest = hashlib.sha256(content).hexdigest()
        metadata = {_SHA256: digest, _GENERATION: str(generation)}
        lost = self._put(
            key, content, ContentType=content_type, CacheControl=_SHORTLY, Metadata=metadata, **condition
        )  # fmt: skip
        if lost is None:
            return True
        found = self.read(key)  # a try that was answered too late has won, and its repetition lost against it
        return found is not None and found.content == content

    def keys(self, prefix: str) -> Iterator[Listed]:
        """List objects, a thousand to a request."""
        with self.translated(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(prefix))
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"].removeprefix(self.prefix)
                    yield Listed(key, item["Size"], _iso(item["LastModified"]))

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Read a piece of an object."""
        with self.translated(key):
            answer = self.client.get_object(
                Bucket=self.bucket, Key=self.key(key), Range=f"bytes={offset}-{offset + length - 1}"
            )
            with closing(answer["Body"]) as body:
                return body.read()

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self.translated(key):
            self.client.delete_object(Bucket=self.bucket, Key=self.key(key))

    def pending(self) -> tuple[Pending, ...]:
        """List the multipart uploads under the prefix."""
        with self.translated():
            pages = self.client.get_paginator("list_multipart_uploads")
            return tuple(
                Pending(item["Key"].removeprefix(self.prefix), _iso(item["Initiated"]), item["UploadId"])
                for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix)
                for item in page.get("Uploads", [])
            )

    def end(self, pending: Pending) -> None:
        """Abort a multipart upload."""
        try:
            with self.translated(pending.key):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key(pending.key), UploadId=pending.id)
        except StoreError as error:
            if error.code not in GONE | ABSENT:
                raise

    def close(self) -> None:
        """Close the client's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def key(self, key: str) -> str:
        """Return the full key in the bucket."""
        return self.prefix + key

    def is_there(self, key: str, sha256: str, advance: Advance = ignore) -> bool:
        """Return whether the object is there with this hash; raise Conflict where it has another one."""
        found = self.stat(key)
        if found is None:
            return False
        # A resumed upload has the metadata of whoever began it: before a conflict is cried, the bytes decide.
        if found.sha256 != sha256 and self.digest(key) != sha256:
            raise conflict(self.describe(), key)
        advance(found.size)
        return True

    def contended(self, key: str) -> Conflict:
        """Make the error for a key that others keep writing."""
        return Conflict(
            f"{self.describe()}: {key} is being written by somebody else",
            hint="run the command again when they are done",
        )

    def translated(self, key: str = "") -> AbstractContextManager[None]:
        """Turn botocore's errors into ours."""
        return translated(self.describe(), key)

    def _put(self, key: str, content: bytes, **options: Any) -> str | None:
        """Put an object; give the code of a condition that did not hold, None for success."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        try:
            with self.translated(key):
                self.client.put_object(
                    Bucket=self.bucket, Key=self.key(key), Body=content, ChecksumSHA256=digest, **options
                )  # fmt: skip
        except StoreError as error:
            if error.code in LOST | RACE or (error.code in ABSENT and "IfMatch" in options):
                return error.code
            raise
        return None

    def _is_refused(self, **condition: str) -> bool:
        for pause in pauses():
            lost = self._put(CANARY, _CANARY_CONTENT, ContentType="text/plain", CacheControl=_SHORTLY, **condition)
            if lost not in RACE:
                return lost is not None
            time.sleep(pause)
        raise self.contended(CANARY)

    def _careless(self, condition: str) -> UsageError:
        return UsageError(
            f"{self.describe()} ignores {condition}, so two jobs could overwrite each other's work",
            hint="use a store with conditional writes: Amazon S3 has them, so have recent releases of most others",
        )

    def digest(self, key: str) -> str:
        """Read an object and give its SHA-256: what its metadata says of it may be missing or wrong."""
        digest = hashlib.sha256()
        with self.translated(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key(key))
            with closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(1024 * 1024):
                    digest.update(chunk)
        return digest.hexdigest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _sha256_of(answer: HeadObjectOutputTypeDef) -> str | None:
    """Return the hash that the store keeps: ours in the metadata, else its own where that is of the whole object."""
    own = answer["Metadata"].get(_SHA256)
    checksum = answer.get("ChecksumSHA256", "")
    if own is not None or not checksum or "-" in checksum:  # a hash of hashes ends in the number of parts
        return own
    return base64.b64decode(checksum).hex()
