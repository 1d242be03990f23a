"""The extra index and the repository that a configuration names, opened, closed, and asked for as users do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from variant_publish.config.tables import UploadTable
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository, Repository
from variant_publish.remote.transport import IndexUnavailable, Transport
from variant_publish.store.folder import LocalStore
from variant_publish.store.places import folder_of, open_store
from variant_publish.store.store import Store

_LARGEST = 64 * 1024 * 1024
_DENIED = (401, 403)


class Destinations(msgspec.Struct, frozen=True):
    """The extra index and the repository of an upload, and the settings that name them.

    `is_private` says that not everybody may read the index, so nobody asks whether everybody can.
    """

    settings: UploadTable
    store: Store
    repository: Repository | None = None
    is_private: bool = False

    def tracked(self, project: str) -> tuple[str, ...]:
        """Return the address of the project's page on the repository, where it is known (PEP 708)."""
        url = self.repository.project_url(project) if self.repository is not None else None
        return (url,) if url else ()

    def fault(self, store: Store, address: str, project: str, entries: list[IndexFile]) -> str:
        """Return why users cannot read at `address` what lies in a store; "" if they can, or need not."""
        return fault_of_public_url(store, address, project, entries) if address and not self.is_private else ""


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


def open_repository(upload: UploadTable) -> Repository | None:
    """Return the repository that a configuration names; None where it names none."""
    address = upload.repository_url or ""
    if not address and upload.repository is None:
        return None
    if address.startswith("file:"):
        page = folder_of(upload.extra_index) if upload.extra_index.startswith("file:") else None
        return FolderRepository(folder_of(address), page)
    return TwineRepository(upload)


def fault_of_public_url(store: Store, public_url: str, project: str, entries: list[IndexFile]) -> str:
    """Return why users cannot read a project at the public address, and what to do; "" if they can.

    The page is asked for, and METADATA of one wheel that lies in the store. A folder is served by whoever serves it.
    """
    if isinstance(store, LocalStore):
        return ""
    root = f"{public_url.rstrip('/')}/{project}/"
    wheel = next((entry for entry in entries if entry.is_hosted and entry.metadata_sha256), None)
    asked = [(root, "")]
    if wheel is not None:
        asked.append((f"{root}{wheel.url}.metadata", wheel.metadata_sha256 or ""))
    transport = Transport()
    return next(filter(None, (_fault(transport, store, url, sha256) for url, sha256 in asked)), "")


def _fault(transport: Transport, store: Store, url: str, sha256: str) -> str:
    try:
        answer = transport.get(url, _LARGEST, accept=(*_DENIED, 404))
    except IndexUnavailable as error:
        return f"users cannot read the index there: {error.message}"
    if answer.status in _DENIED:
        why = f"answers {answer.status}, so users cannot read what was published"
        return f"{redact(url)} {why}: {store.how_to_open()}"
    if answer.status == 404 or (sha256 and hashlib.sha256(answer.content).hexdigest() != sha256):
        what = "does not serve" if answer.status == 404 else "serves something else than"
        return f"{redact(url)} {what} what is in {store.describe()}: correct upload.public-url"
    return ""
