"""Send a large file in parts: several at a time, resumed where an earlier try was cut off, created only once.

An upload is bound to the SHA-256 that it was begun for: a note in the store, named after key and hash, says which
upload that is. Nothing else is resumed, so parts of two builds of one name never become one object.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import msgspec

from variant_publish.progress import Advance
from variant_publish.store.bucket import Bucket
from variant_publish.store.objects import UPLOADS, PutResult, changed_on_the_way
from variant_publish.store.s3_errors import ABSENT, GONE, LOST, RACE, SPOILT, StoreError

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 * 1024 * 1024
MOST_PARTS = 10_000
_MIB = 1024 * 1024
_AT_ONCE = 10
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')

Part: TypeAlias = "CompletedPartTypeDef"
"""A part that the store has: what CompleteMultipartUpload asks for."""


class PartsUpload(msgspec.Struct, frozen=True):
    """An upload in parts that was begun."""

    bucket: Bucket
    key: str
    id: str

    @classmethod
    def begin(cls, bucket: Bucket, key: str, fixed: Mapping[str, Any]) -> PartsUpload:
        """Begin an upload; `fixed` are the headers of the object."""
        with bucket.translated(key):
            answer = bucket.client.create_multipart_upload(**bucket.place(key), ChecksumAlgorithm="CRC32", **fixed)
        return cls(bucket, key, bucket.field(answer, "UploadId", key))

    @property
    def place(self) -> dict[str, Any]:
        """Return the parameters of a request that name the upload."""
        return {**self.bucket.place(self.key), "UploadId": self.id}

    def put(self, number: int, content: bytes) -> Part:
        """Send a part."""
        checksum = _crc32(content)
        with self.bucket.translated(self.key):
            answer = self.bucket.client.upload_part(
                **self.place, PartNumber=number, Body=content, ChecksumCRC32=checksum
            )
        return {"PartNumber": number, "ETag": self.bucket.field(answer, "ETag", self.key), "ChecksumCRC32": checksum}

    def copy(self, number: int, source: Mapping[str, Any]) -> Part:
        """Make a part of another object."""
        with self.bucket.translated(self.key):
            answer = self.bucket.client.upload_part_copy(**self.place, PartNumber=number, **source)
        result = self.bucket.field(answer, "CopyPartResult", self.key)
        part: Part = {"PartNumber": number, "ETag": self.bucket.field(result, "ETag", self.key)}
        if "ChecksumCRC32" in result:
            part["ChecksumCRC32"] = result["ChecksumCRC32"]
        return part

    def finish(self, parts: Callable[[], list[Part]]) -> PutResult:
        """Make the parts and of them the object, or say that another writer was first or in the way."""
        try:
            complete: Any = {"Parts": parts()}
            with self.bucket.translated(self.key):
                self.bucket.client.complete_multipart_upload(**self.place, MultipartUpload=complete, IfNoneMatch="*")
        except StoreError as error:
            if error.code not in LOST | RACE | GONE | SPOILT:
                raise
            # The name is taken, or S3 wants the whole upload again; of one that is gone, what is there decides.
            self.abort()
            return PutResult.RACE if error.code in RACE else PutResult.LOST
        return PutResult.WRITTEN

    def abort(self) -> None:
        """Abort the upload."""
        self.bucket.abort(self.key, self.id)


class Multipart:
    """Send one file; the whole is hashed once, while its parts go out."""

    def __init__(self, bucket: Bucket, key: str, path: Path, sha256: str, least_part: int) -> None:
        self.bucket = bucket
        self.key = key
        self.path = path
        self.sha256 = sha256
        self.size = path.stat().st_size
        self.part_size = part_size(self.size, least_part)
        self.note = bucket.place(note_key(key, sha256))

    def send(self, fixed: Mapping[str, Any], advance: Advance) -> PutResult:
        """Send the file and make the object, or say that another writer was first or in the way.

        `fixed` are the headers of the object, `advance` is called with the bytes that the store has.
        """
        upload, there = self._earlier()
        if upload is None:
            upload = self._begin(fixed)
        begun = upload
        result = begun.finish(lambda: self._parts(begun, there, advance))
        if result is PutResult.WRITTEN:
            with self.bucket.translated(self.key):
                self.bucket.client.delete_object(**self.note)
            self.bucket.abort_all(self.key)  # what others began
        return result

    def _earlier(self) -> tuple[PartsUpload | None, Mapping[int, Mapping[str, Any]]]:
        """Return the upload that was begun for these bytes under this key, and its parts; (None, {}) for none."""
        try:
            with self.bucket.translated(self.key):
                answer = self.bucket.client.get_object(**self.note)
                upload_id = upload_id_of(answer["Body"].read(_MIB))
                if upload_id is None:
                    return None, {}
                upload = PartsUpload(self.bucket, self.key, upload_id)
                pages = self.bucket.client.get_paginator("list_parts").paginate(**upload.place)
                parts = {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}
        except StoreError as error:
            if error.code in GONE | ABSENT:
                return None, {}
            raise
        if self._are_ours(parts):
            return upload, parts
        upload.abort()  # its note names it, and it holds something else
        return None, {}

    def _are_ours(self, parts: Mapping[int, Mapping[str, Any]]) -> bool:
        with self.path.open("rb") as stream:
            for number, part in parts.items():
                stream.seek((number - 1) * self.part_size)
                content = stream.read(self.part_size)
                if len(content) != part["Size"] or not _is_same(part, content):
                    return False
        return True

    def _begin(self, fixed: Mapping[str, Any]) -> PartsUpload:
        upload = PartsUpload.begin(self.bucket, self.key, fixed)
        note = json.dumps({"key": self.key, "sha256": self.sha256, "upload-id": upload.id})
        with self.bucket.translated(self.key):
            self.bucket.client.put_object(**self.note, Body=note.encode(), ContentType="application/json")
        return upload

    def _parts(self, upload: PartsUpload, there: Mapping[int, Mapping[str, Any]], advance: Advance) -> list[Part]:
        """Send what is not there; return every part."""
        done: list[Part] = []
        digest = hashlib.sha256()
        pending: set[Future[Part]] = set()
        with self.path.open("rb") as stream, ThreadPoolExecutor(_AT_ONCE, "part") as pool:
            try:
                for number, content in enumerate(_pieces(stream, self.part_size), 1):
                    if number in there:
                        known = there[number]["ETag"]
                        done.append({"PartNumber": number, "ETag": known, "ChecksumCRC32": _crc32(content)})
                        advance(len(content))
                    else:
                        pending.add(pool.submit(upload.put, number, content))
                    digest.update(content)  # beside the sending, in which the interpreter has nothing to do
                    if len(pending) > _AT_ONCE:
                        pending = self._collect(pending, done, advance)
                while pending:
                    pending = self._collect(pending, done, advance)
            except BaseException:
                for future in pending:
                    future.cancel()
                raise
        if digest.hexdigest() != self.sha256:
            upload.abort()
            raise changed_on_the_way(self.path)
        return sorted(done, key=lambda part: part["PartNumber"])

    def _collect(self, pending: set[Future[Part]], done: list[Part], advance: Advance) -> set[Future[Part]]:
        ready, rest = wait(pending, return_when=FIRST_COMPLETED)
        for future in ready:
            part = future.result()
            done.append(part)
            advance(min(self.part_size, self.size - (part["PartNumber"] - 1) * self.part_size))
        return rest


def note_key(key: str, sha256: str) -> str:
    """Return the key of the note on the upload of some bytes under a key."""
    return UPLOADS + hashlib.sha256(f"{key}\n{sha256}".encode()).hexdigest()


def upload_id_of(note: bytes) -> str | None:
    """Return the upload that a note names; None where it is no note."""
    try:
        found = json.loads(note)["upload-id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) and found else None


def part_size(size: int, least: int = PART) -> int:
    """Return the size of the parts: whole MiB where they must grow, so that 10,000 of them hold the file."""
    if size <= least * MOST_PARTS:
        return least
    return -(-size // (MOST_PARTS * _MIB)) * _MIB


def composite_of(path: Path, least_part: int = PART) -> str:
    """Return the checksum that S3 has of a file sent in parts: the CRC-32 of their CRC-32s, and their number."""
    return _of_parts(path, least_part, lambda part: zlib.crc32(part).to_bytes(4, "big"), _crc32)


def md5_of_parts(path: Path, least_part: int = PART) -> str:
    """Return the tag that S3 gives a file sent in parts where it keeps no checksums: the MD5 of their MD5s."""

    def md5(part: bytes) -> bytes:
        return hashlib.md5(part, usedforsecurity=False).digest()

    return _of_parts(path, least_part, md5, lambda whole: md5(whole).hex())


def _of_parts(path: Path, least: int, of_part: Callable[[bytes], bytes], of_whole: Callable[[bytes], str]) -> str:
    with path.open("rb") as stream:
        parts = [of_part(piece) for piece in _pieces(stream, part_size(path.stat().st_size, least))]
    return f"{of_whole(b''.join(parts))}-{len(parts)}"


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while content := stream.read(size):
        yield content


def _crc32(content: bytes) -> str:
    # Against damage on the way; what a file is, its SHA-256 says, which is computed once over the whole.
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def _is_same(part: Mapping[str, Any], content: bytes) -> bool:
    if "ChecksumCRC32" in part:
        return bool(part["ChecksumCRC32"] == _crc32(content))
    # Stores that do not list checksums give the MD5 as the tag; without either, the part is sent again.
    md5 = _MD5.fullmatch(part["ETag"])
    return md5 is not None and md5[1] == hashlib.md5(content, usedforsecurity=False).hexdigest()
