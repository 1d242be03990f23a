"""The kinds of store: which address opens which."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from variant_publish.errors import UsageError
from variant_publish.model.url import redact
from variant_publish.store.cloud import CloudStore
from variant_publish.store.folder import LocalStore
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Store

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")

_BUCKETS: dict[str, Callable[[str, str, str | None], Store]] = {
    "s3": lambda bucket, prefix, endpoint_url: S3Store(bucket, prefix, endpoint_url=endpoint_url),
    "az": partial(CloudStore.open, "az"),
    "gs": partial(CloudStore.open, "gs"),
}
"""Scheme -> what opens `SCHEME://BUCKET/PREFIX`; a folder is `file:DIR`."""


def open_store(place: str, *, endpoint_url: str | None = None) -> Store:
    """Return the store of `s3://BUCKET/PREFIX`, `az://...`, `gs://...` or `file:DIR`; raise UsageError for others."""
    if place.startswith("file:"):
        return LocalStore(folder_of(place))
    parts = urlsplit(place)
    opens = _BUCKETS.get(parts.scheme)
    if opens is None or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise UsageError(
            f"{redact(place)!r} is no place for an index",
            hint=f"write file:DIR, or {', '.join(f'{scheme}://BUCKET/PREFIX' for scheme in _BUCKETS)}",
        )
    return opens(parts.netloc, unquote(parts.path), endpoint_url)


def folder_of(place: str) -> Path:
    """Return the folder of `file:DIR`, or of `file:///DIR` as URLs have it; raise UsageError where there is none."""
    rest = place.removeprefix("file:")
    if rest.startswith("//"):
        parts = urlsplit(place)
        if parts.netloc not in ("", "localhost"):
            raise UsageError(f"{place!r} is a folder of another machine", hint="write file:DIR or file:///DIR")
        rest = url2pathname(parts.path)
    if not rest:
        raise UsageError(f"{place!r} names no folder", hint="write file:DIR, for example file:dist-index")
    return Path(rest).expanduser()
