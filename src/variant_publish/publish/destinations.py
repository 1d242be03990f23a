"""From what a configuration names to the places themselves: `s3://BUCKET/PREFIX`, `file:DIR`, or a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository, Repository
from variant_publish.remote.client import hidden
from variant_publish.store.folder import LocalStore
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Store

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True)
class Destinations:
    """The extra index and the repository of an upload, and the settings that name them."""

    settings: UploadTable
    store: Store
    repository: Repository | None = None


@contextmanager
def opened(settings: UploadTable) -> Iterator[Destinations]:
    """Open what the settings name, and close it at the end."""
    with opened_store(settings.extra_index, settings.endpoint_url) as store:
        repository = open_repository(settings)
        try:
            yield Destinations(settings, store, repository)
        finally:
            if repository is not None:
                repository.close()


@contextmanager
def opened_store(place: str, endpoint_url: str | None = None) -> Iterator[Store]:
    """Open the store that `s3://BUCKET/PREFIX` or `file:DIR` names, and close it at the end."""
    store = open_store(place, endpoint_url=endpoint_url)
    try:
        yield store
    finally:
        store.close()


def open_store(place: str, *, endpoint_url: str | None = None) -> Store:
    """Return the store that `s3://BUCKET/PREFIX` or `file:DIR` names; raise UsageError for anything else."""
    if place.startswith("file:"):
        return LocalStore(folder_of(place))
    parts = urlsplit(place)
    if parts.scheme == "s3" and _BUCKET.fullmatch(parts.netloc) and not (parts.query or parts.fragment):
        return S3Store(parts.netloc, unquote(parts.path), endpoint_url=endpoint_url)
    raise UsageError(f"{hidden(place)!r} is not a place for an index", hint="write s3://BUCKET/PREFIX or file:DIR")


def open_repository(upload: UploadTable) -> Repository | None:
    """Return the repository that a configuration names; None where it names none."""
    address = upload.repository_url or ""
    if not address and upload.repository is None:
        return None
    if address.startswith("file:"):
        page = folder_of(upload.extra_index) if upload.extra_index.startswith("file:") else None
        return FolderRepository(folder_of(address), page)
    return TwineRepository(upload)


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
