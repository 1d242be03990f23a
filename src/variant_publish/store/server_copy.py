"""Copy on the server: in parts, on the condition that the source is unchanged and the name is free."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance
from variant_publish.store.bucket import Bucket
from variant_publish.store.objects import PutResult
from variant_publish.store.s3_errors import ABSENT, GONE, LOST, RACE, SPOILT, StoreError

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

COPY_PART = 256 * 1024 * 1024
"""Bytes of a part: far below the 5 GB that one may have, so that large files are copied several parts at a time."""

CANNOT = frozenset({"NotImplemented", "501", "MethodNotAllowed", "405"})
"""What stores without copies of parts answer."""

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
        place = self.bucket.place(self.key)
        with self.bucket.translated(self.key):
            answer = self.bucket.client.create_multipart_upload(**place, ChecksumAlgorithm="CRC32", **self.fixed)
        upload_id: str = self.bucket.field(answer, "UploadId", self.key)

        def made(offset: int) -> CompletedPartTypeDef:
            length = min(self.part, size - offset)
            part = self._make_part((upload_id, offset // self.part + 1), offset, length)
            advance(length)
            return part

        try:
            with ThreadPoolExecutor(_AT_ONCE, "copy") as pool:
                parts = list(pool.map(made, range(0, size, self.part)))
            with self.bucket.translated(self.key):
                self.bucket.client.complete_multipart_upload(
                    **place, UploadId=upload_id, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
        except StoreError as error:
            self.bucket.abort(self.key, upload_id)
            if error.code in CANNOT:
                return None
            if error.code not in LOST | RACE | GONE | SPOILT:
                raise
            return PutResult.RACE if error.code in RACE else PutResult.LOST
        except BaseException:
            self.bucket.abort(self.key, upload_id)
            raise
        self.bucket.abort_all(self.key)
        return PutResult.WRITTEN

    def _make_part(self, part: tuple[str, int], offset: int, length: int) -> CompletedPartTypeDef:
        upload_id, number = part
        place = {**self.bucket.place(self.key), "UploadId": upload_id, "PartNumber": number}
        if self.rest is None or offset + length <= self.source.length:
            result = self._copy_part(place, offset, length)
        else:
            content = self.rest(offset, length)
            checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
            with self.bucket.translated(self.key):
                result = {**self.bucket.client.upload_part(**place, Body=content, ChecksumCRC32=checksum)}
            result["ChecksumCRC32"] = checksum
        made: CompletedPartTypeDef = {"PartNumber": number, "ETag": self.bucket.field(result, "ETag", self.key)}
        if "ChecksumCRC32" in result:
            made["ChecksumCRC32"] = result["ChecksumCRC32"]
        return made

    def _copy_part(self, place: dict[str, Any], offset: int, length: int) -> Mapping[str, Any]:
        try:
            with self.bucket.translated(self.key):
                answer = self.bucket.client.upload_part_copy(**place, **self.source.parameters(offset, length))
        except StoreError as error:
            if error.code not in LOST | ABSENT:
                raise
            raise VariantPublishError(
                f"{self.bucket.describe()}: {self.source.key} was changed or deleted while it was copied",
                hint="find out who writes there, then run the command again",
            ) from error
        result: Mapping[str, Any] = self.bucket.field(answer, "CopyPartResult", self.key)
        return result
