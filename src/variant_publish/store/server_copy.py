"""Copy on the server: in parts, on the condition that the source is unchanged and the name is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance
from variant_publish.store.bucket import Bucket
from variant_publish.store.multipart import Part, PartsUpload
from variant_publish.store.objects import PutResult
from variant_publish.store.s3_errors import ABSENT, CANNOT, LOST, StoreError

COPY_PART = 256 * 1024 * 1024
"""Bytes of a part: far below the 5 GB that one may have, so that large files are copied several parts at a time."""

_AT_ONCE = 10


class CopySource(msgspec.Struct, frozen=True):
    """An object as it was at one moment, and how many of its first bytes are copied."""

    bucket: str
    key: str
    etag: str
    length: int

    def parameters(self, offset: int, length: int) -> Mapping[str, Any]:
        """Return the parameters of UploadPartCopy for a range."""
        return {
            "CopySource": {"Bucket": self.bucket, "Key": self.key},
            "CopySourceRange": f"bytes={offset}-{offset + length - 1}",
            "CopySourceIfMatch": self.etag,
        }


class ServerCopy(msgspec.Struct, frozen=True):
    """Make an object of another one's first bytes, and of bytes that are sent.

    `rest` returns a range of the new object that does not lie within the first bytes; all parts but the last are
    `part` bytes long, as some stores demand. `fixed` are the headers of the object.
    """

    bucket: Bucket
    key: str
    source: CopySource
    fixed: Mapping[str, Any]
    part: int = COPY_PART
    rest: Callable[[int, int], bytes] | None = None

    def make(self, size: int, advance: Advance) -> PutResult | None:
        """Make the object if its key is free; None where the store has no copies of parts.

        Raises VariantPublishError where the source has changed.
        """
        upload = PartsUpload.begin(self.bucket, self.key, self.fixed)

        def made(offset: int) -> Part:
            length = min(self.part, size - offset)
            part = self._make_part(upload, offset, length)
            advance(length)
            return part

        try:
            with ThreadPoolExecutor(_AT_ONCE, "copy") as pool:
                result = upload.finish(lambda: list(pool.map(made, range(0, size, self.part))))
        except BaseException as error:
            upload.abort()
            if isinstance(error, StoreError) and error.code in CANNOT:
                return None
            raise
        if result is PutResult.WRITTEN:
            self.bucket.abort_all(self.key)
        return result

    def _make_part(self, upload: PartsUpload, offset: int, length: int) -> Part:
        number = offset // self.part + 1
        if self.rest is not None and offset + length > self.source.length:
            return upload.put(number, self.rest(offset, length))
        try:
            return upload.copy(number, self.source.parameters(offset, length))
        except StoreError as error:
            if error.code not in LOST | ABSENT:
                raise
            raise VariantPublishError(
                f"{self.bucket.describe()}: {self.source.key} was changed or deleted while it was copied",
                hint="find out who writes there, then run the command again",
            ) from error
