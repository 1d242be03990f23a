"""Send a large file in parts: several at a time, resumed where an earlier try was cut off, created only once."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from variant_publish.progress import Advance
from variant_publish.store.s3_errors import ABSENT, GONE, LOST, RACE, SPOILT, StoreError, pauses
from variant_publish.store.store import Conflict, Outcome, changed_on_the_way

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

    from variant_publish.store.s3 import S3Store

PART = 8 * 1024 * 1024
MOST_PARTS = 10_000
_MIB = 1024 * 1024
_AT_ONCE = 10
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that the store has: what CompleteMultipartUpload wants to know of it."""

    number: int
    etag: str
    checksum: str

    def table(self) -> CompletedPartTypeDef:
        """Return the item of the request."""
        return {"PartNumber": self.number, "ETag": self.etag, "ChecksumCRC32": self.checksum}


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What an upload that was cut off has sent: part number -> the store's description of it."""

    upload_id: str
    parts: Mapping[int, Mapping[str, Any]]


class Multipart:
    """Send one file; the whole is hashed once, while its parts go out."""

    def __init__(
        self, store: S3Store, key: str, path: Path, sha256: str, fixed: Mapping[str, Any], advance: Advance
    ) -> None:
        self.store = store
        self.key = key
        self.path = path
        self.sha256 = sha256
        self.fixed = fixed
        self.advance = advance
        self.size = path.stat().st_size
        self.part_size = part_size(self.size, store.part_size)
        self.place: dict[str, Any] = {"Bucket": store.bucket, "Key": store.key(key)}

    def send(self) -> Outcome:
        """Send the file, or find it there; raise Conflict where other bytes are."""
        for pause in pauses():
            earlier, others = self._earlier()
            upload_id = earlier.upload_id if earlier is not None else self._begin()
            lost = self._send_parts(upload_id, earlier.parts if earlier is not None else {})
            if lost is None or self._is_settled(upload_id, lost):
                for other in others:
                    self._abort(other)  # the name is taken now, so they can never be completed
                return Outcome.CREATED if lost is None else Outcome.ALREADY_THERE
            time.sleep(pause)
        raise self.store.contended(self.key)

    def _is_settled(self, upload_id: str, lost: str) -> bool:
        """Return whether the file is there although the completion failed; else leave what the next try needs."""
        try:
            # Completed by a try that was answered too late, or by a twin of this job.
            there = self.store.is_there(self.key, self.sha256)
        except Conflict:
            self._abort(upload_id)
            raise
        if there or lost in RACE | SPOILT:  # after a race S3 wants the whole upload again
            self._abort(upload_id)
        return there

    def _send_parts(self, upload_id: str, there: Mapping[int, Mapping[str, Any]]) -> str | None:
        """Send what is not there, and make the object; give the code of what was lost on the way, None for success."""
        try:
            parts = self._parts(upload_id, there)
            self._complete(upload_id, parts)
        except StoreError as error:
            if error.code in LOST | RACE | GONE | SPOILT:
                return error.code
            raise
        return None

    def _parts(self, upload_id: str, there: Mapping[int, Mapping[str, Any]]) -> list[_Part]:
        done: list[_Part] = []
        digest = hashlib.sha256()
        pending: set[Future[_Part]] = set()
        with self.path.open("rb") as stream, ThreadPoolExecutor(_AT_ONCE, "part") as pool:
            try:
                for number, content in self._chunks(stream):
                    if number in there:
                        done.append(_Part(number, there[number]["ETag"], _checksum(content)))
                        self.advance(len(content))
                    else:
                        pending.add(pool.submit(self._send_part, upload_id, number, content))
                    digest.update(content)  # beside the sending, in which the interpreter has nothing to do
                    if len(pending) > _AT_ONCE:
                        pending = self._collect(pending, done)
                while pending:
                    pending = self._collect(pending, done)
            except BaseException:
                for future in pending:
                    future.cancel()
                raise
        if digest.hexdigest() != self.sha256:
            self._abort(upload_id)
            raise changed_on_the_way(self.path)
        return sorted(done, key=lambda part: part.number)

    def _chunks(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        number = 0
        while content := stream.read(self.part_size):
            number += 1
            yield number, content

    def _collect(self, pending: set[Future[_Part]], done: list[_Part]) -> set[Future[_Part]]:
        ready, rest = wait(pending, return_when=FIRST_COMPLETED)
        for future in ready:
            part = future.result()
            done.append(part)
            self.advance(min(self.part_size, self.size - (part.number - 1) * self.part_size))
        return rest

    def _begin(self) -> str:
        with self.store.translated(self.key):
            answer = self.store.client.create_multipart_upload(**self.place, ChecksumAlgorithm="CRC32", **self.fixed)
        return answer["UploadId"]

    def _send_part(self, upload_id: str, number: int, content: bytes) -> _Part:
        checksum = _checksum(content)
        with self.store.translated(self.key):
            answer = self.store.client.upload_part(
                **self.place, UploadId=upload_id, PartNumber=number, Body=content, ChecksumCRC32=checksum
            )
        return _Part(number, answer["ETag"], checksum)

    def _complete(self, upload_id: str, parts: list[_Part]) -> None:
        with self.store.translated(self.key):
            self.store.client.complete_multipart_upload(
                **self.place,
                UploadId=upload_id,
                MultipartUpload={"Parts": [part.table() for part in parts]},
                IfNoneMatch="*",
            )

    def _abort(self, upload_id: str) -> None:
        try:
            with self.store.translated(self.key):
                self.store.client.abort_multipart_upload(**self.place, UploadId=upload_id)
        except StoreError as error:
            if error.code not in GONE | ABSENT:
                raise

    def _earlier(self) -> tuple[_Earlier | None, list[str]]:
        """Find an upload of this key all of whose parts are parts of this file; give it, and the ids of the others.

        One without any part may have been begun this moment by a job with another file, so it is not taken over.
        """
        found = []
        with self.store.translated(self.key):
            pages = self.store.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.store.bucket, Prefix=self.place["Key"]):
                found += [item for item in page.get("Uploads", []) if item["Key"] == self.place["Key"]]
        ids = [item["UploadId"] for item in sorted(found, key=lambda item: str(item["Initiated"]), reverse=True)]
        for upload_id in ids:
            parts = self._parts_of(upload_id)
            if parts and self._are_ours(parts):
                return _Earlier(upload_id, parts), [other for other in ids if other != upload_id]
        return None, ids

    def _parts_of(self, upload_id: str) -> Mapping[int, Mapping[str, Any]]:
        try:
            with self.store.translated(self.key):
                pages = self.store.client.get_paginator("list_parts").paginate(**self.place, UploadId=upload_id)
                return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}
        except StoreError as error:
            if error.code in GONE:
                return {}
            raise

    def _are_ours(self, parts: Mapping[int, Mapping[str, Any]]) -> bool:
        with self.path.open("rb") as stream:
            for number, part in parts.items():
                stream.seek((number - 1) * self.part_size)
                content = stream.read(self.part_size)
                if len(content) != part["Size"] or not _is_same(part, content):
                    return False
        return True


def part_size(size: int, least: int = PART) -> int:
    """Return the size of the parts: whole MiB where they must grow, so that 10,000 of them hold the file."""
    if size <= least * MOST_PARTS:
        return least
    return -(-size // (MOST_PARTS * _MIB)) * _MIB


def _checksum(content: bytes) -> str:
    # Against damage on the way; what a file is, its SHA-256 tells, which is hashed once over the whole.
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def _is_same(part: Mapping[str, Any], content: bytes) -> bool:
    if "ChecksumCRC32" in part:
        return bool(part["ChecksumCRC32"] == _checksum(content))
    # Stores that do not list checksums give the MD5 as the tag; without either, the part is sent again.
    md5 = _MD5.fullmatch(part["ETag"])
    return md5 is not None and md5[1] == hashlib.md5(content, usedforsecurity=False).hexdigest()
