"""Read and download the files that an index lists; what has a hash is compared with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from variant_publish.archive.atomic import creating
from variant_publish.formats.simple import IndexFile
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import IndexUnavailable, Transport

LARGEST = 64 * 1024**3
"""Bytes of a file whose size the index does not list."""

METADATA_LIMIT = 8 * 1024 * 1024
_OTHER_HASH = "the bytes that arrived have another SHA-256 than the index lists"


def read_url(url: str, limit: int, sha256: str = "", transport: Transport | None = None) -> bytes:
    """Return the content of an http, https or file URL; raise IndexUnavailable for more than `limit` bytes.

    With `sha256`, other content is an IndexUnavailable too.
    """
    path = local_path(url)
    content = _read_path(path, url, limit) if path is not None else (transport or Transport()).get(url, limit).content
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise IndexUnavailable(
            url, _OTHER_HASH, hint="the page may be newer than the file: try again, or tell the publisher"
        )
    return content


def download(file: IndexFile, target: Path, reporter: Reporter = SILENT, transport: Transport | None = None) -> None:
    """Fetch a listed file over HTTP to `target`, whole, with the listed size and SHA-256, or raise IndexUnavailable.

    `target` does not exist before everything has arrived; nothing is read beyond the listed size.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with creating(target) as stream, reporter.track(file.filename, file.size) as advance:

            def take(chunk: bytes) -> None:
                nonlocal size
                stream.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                advance(len(chunk))

            (transport or Transport()).save(file.url, LARGEST if file.size is None else file.size, take)
            if file.size not in (None, size):
                raise IndexUnavailable(file.url, f"it has {size} bytes, and the index lists {file.size}")
            if file.sha256 and digest.hexdigest() != file.sha256:
                raise IndexUnavailable(file.url, _OTHER_HASH)
    except OSError as error:
        raise IndexUnavailable(file.url, str(error) or type(error).__name__) from error


def _read_path(path: Path, url: str, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise IndexUnavailable(url, "there is no such file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise IndexUnavailable(url, str(error)) from error
    if len(content) > limit:
        raise IndexUnavailable(url, f"it has more than {limit} bytes", hint="this is not the file it is named as")
    return content
