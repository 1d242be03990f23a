"""Copy an object on the server: in parts, on the condition that the source is unchanged and the name is free."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True)
class CopySource:
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


def copy_object(
    bucket: Bucket, key: str, source: CopySource, fixed: Mapping[str, Any], advance: Advance
) -> PutResult | None:
    """Make an object of another one; None where the store has no copies of parts.

    `fixed` are the headers of the object. Raises VariantPublishError where the source has changed.
    """
    place = bucket.place(key)
    with bucket.translated(key):
        answer = bucket.client.create_multipart_upload(**place, ChecksumAlgorithm="CRC32", **fixed)
    upload_id: str = bucket.field(answer, "UploadId", key)
    offsets = range(0, source.length, COPY_PART)

    def copied(offset: int) -> CompletedPartTypeDef:
        number, length = offset // COPY_PART + 1, min(COPY_PART, source.length - offset)
        part = copy_part(bucket, key, (upload_id, number), source.parameters(offset, length))
        advance(length)
        return part

    try:
        with ThreadPoolExecutor(_AT_ONCE, "copy") as pool:
            parts = list(pool.map(copied, offsets))
        with bucket.translated(key):
            bucket.client.complete_multipart_upload(
                **place, UploadId=upload_id, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
    except StoreError as error:
        _abort(bucket, key, upload_id)
        if error.code in CANNOT:
            return None
        if error.code not in LOST | RACE | GONE | SPOILT:
            raise
        return PutResult.RACE if error.code in RACE else PutResult.LOST
    except BaseException:
        _abort(bucket, key, upload_id)
        raise
    return PutResult.WRITTEN


def copy_part(bucket: Bucket, key: str, part: tuple[str, int], parameters: Mapping[str, Any]) -> CompletedPartTypeDef:
    """Copy a part, named by upload and number, and return what CompleteMultipartUpload asks for.

    Raises VariantPublishError where the source has changed or is gone.
    """
    upload_id, number = part
    try:
        with bucket.translated(key):
            answer = bucket.client.upload_part_copy(
                **bucket.place(key), UploadId=upload_id, PartNumber=number, **parameters
            )
    except StoreError as error:
        if error.code not in LOST | ABSENT:
            raise
        name = parameters["CopySource"]["Key"]
        raise VariantPublishError(
            f"{bucket.describe()}: {name} was changed or deleted while it was copied",
            hint="find out who writes there, then run the command again",
        ) from error
    result: Mapping[str, Any] = bucket.field(answer, "CopyPartResult", key)
    made: CompletedPartTypeDef = {"PartNumber": number, "ETag": bucket.field(result, "ETag", key)}
    if "ChecksumCRC32" in result:
        made["ChecksumCRC32"] = result["ChecksumCRC32"]
    return made


def _abort(bucket: Bucket, key: str, upload_id: str) -> None:
    try:
        with bucket.translated(key):
            bucket.client.abort_multipart_upload(**bucket.place(key), UploadId=upload_id)
    except StoreError as error:
        if error.code not in GONE | ABSENT:
            raise
