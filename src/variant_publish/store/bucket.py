"""A bucket and its client: where requests go, and what their answers must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from variant_publish.store.objects import CutOff, Pending, iso
from variant_publish.store.s3_errors import ABSENT, GONE, StoreError, translated

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class Bucket(msgspec.Struct, frozen=True, dict=True):
    """A prefix of a bucket at Amazon's or another endpoint; boto3 finds the credentials."""

    name: str
    prefix: str
    endpoint_url: str | None
    attempts: int
    timeout: float

    def describe(self) -> str:
        """Return the bucket and the prefix."""
        host = f" at {urlsplit(self.endpoint_url).hostname}" if self.endpoint_url else ""
        return f"s3://{self.name}/{self.prefix}".rstrip("/") + host

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

    def place(self, key: str) -> dict[str, Any]:
        """Return the parameters of a request that name an object."""
        return {"Bucket": self.name, "Key": self.prefix + key}

    def translated(self, key: str = "") -> AbstractContextManager[None]:
        """Raise botocore's errors as ours."""
        return translated(self.describe(), key)

    def field(self, answer: Mapping[str, Any], name: str, key: str) -> Any:
        """Return a header that a whole answer has; raise CutOff where it is missing."""
        if name not in answer:
            raise CutOff(
                f"{self.describe()}: {key}: the answer has no {name}",
                hint="check the network, then run the command again: it goes on where it stopped",
            )
        return answer[name]

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload in parts; one that is not there any more is no error."""
        try:
            with self.translated(key):
                self.client.abort_multipart_upload(**self.place(key), UploadId=upload_id)
        except StoreError as error:
            if error.code not in GONE | ABSENT:
                raise

    def abort_all(self, key: str) -> None:
        """Abort the uploads in parts of a key: its name is taken now, so none can be completed."""
        for upload in list(self.pending(key)):
            if upload.key == key:
                self.abort(key, upload.id)

    def pending(self, prefix: str = "") -> Iterator[Pending]:
        """List the uploads in parts of keys that begin with `prefix`."""
        with self.translated(prefix):
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.name, Prefix=self.prefix + prefix):
                for item in page.get("Uploads", []):
                    yield Pending(item["Key"].removeprefix(self.prefix), iso(item["Initiated"]), item["UploadId"])

    def close(self) -> None:
        """Close the client's connections; the next use opens them again."""
        if client := self.__dict__.pop("client", None):
            client.close()
