"""A bucket as a store: conditional writes keep every name for good and every page from going backwards."""

from __future__ import annotations

import base64
import hashlib
import time
from contextlib import AbstractContextManager, closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from variant_publish.errors import UsageError
from variant_publish.progress import Advance
from variant_publish.publish.multipart import PART, Multipart
from variant_publish.publish.s3_errors import ABSENT, LOST, RACE, StoreError, pauses, translated
from variant_publish.publish.store import Conflict, Outcome, Stat, Stored, changed_on_the_way, conflict, ignore

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CANARY = ".variant-publish/conditions"

_CANARY_CONTENT = b"An empty promise would overwrite this.\n"
_FOREVER = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=60"
_SHA256 = "sha256"
_GENERATION = "generation"


class S3Store:
    """Keep an index under `s3://BUCKET/PREFIX`, or in the like of it at `endpoint_url`; boto3 finds credentials."""

    def __init__(
        self, bucket: str, prefix: str = "", *, endpoint_url: str | None = None, part_size: int = PART
    ) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.endpoint_url = endpoint_url
        self.part_size = part_size

    def describe(self) -> str:
        """Name the bucket and the prefix."""
        host = f" at {urlsplit(self.endpoint_url).hostname}" if self.endpoint_url else ""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + host

    def page_keys(self, folder: str) -> tuple[str, ...]:
        """Give both keys of a page: web hosting opens index.html, the REST endpoint the name with its slash."""
        slash = (folder,) if self.prefix + folder else ()
        return (f"{folder}index.html", *slash)

    @cached_property
    def client(self) -> S3Client:
        """Give the client; it may be used from several threads."""
        import boto3
        from botocore.config import Config

        with self.translated():
            # Transport errors and 5xx are tried again; a conditional write that was counted as lost because its first
            # try had won is recognised by its bytes.
            config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=20)
            return boto3.session.Session().client("s3", endpoint_url=self.endpoint_url, config=config)

    def preflight(self) -> None:
        """Raise unless the bucket takes writes and refuses those whose condition does not hold.

        A store that ignores conditions would overwrite what others have published, so it is not used at all.
        """
        if not self._is_refused(IfNoneMatch="*") and not self._is_refused(IfNoneMatch="*"):
            raise self._careless("If-None-Match")
        if not self._is_refused(IfMatch=f'"{"0" * 32}"'):
            raise self._careless("If-Match")

    def read(self, key: str) -> Stored | None:
        """Read an object."""
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
                answer = self.client.head_object(Bucket=self.bucket, Key=self.key(key))
        except StoreError as error:
            if error.code in ABSENT:
                return None
            raise
        return Stat(answer["ContentLength"], answer["Metadata"].get(_SHA256))

    def create(
        self, key: str, source: Path | bytes, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> Outcome:
        """Send an object unless it is there; one with the same hash costs a HEAD request."""
        if self.is_there(key, sha256, advance):
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

    def close(self) -> None:
        """Close the client's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def key(self, key: str) -> str:
        """Give the full key in the bucket."""
        return self.prefix + key

    def is_there(self, key: str, sha256: str, advance: Advance = ignore) -> bool:
        """Say whether the object is there with this hash; raise Conflict where it has another one."""
        found = self.stat(key)
        if found is None:
            return False
        if (found.sha256 or self._hash_of(key)) != sha256:
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

    def _hash_of(self, key: str) -> str:
        """Hash an object that another tool has put there."""
        digest = hashlib.sha256()
        with self.translated(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key(key))
            with closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(1024 * 1024):
                    digest.update(chunk)
        return digest.hexdigest()
