"""The extra index and the repository that a configuration names, opened and closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from variant_publish.config.tables import UploadTable
from variant_publish.formats.simple import IndexFile
from variant_publish.publish.public_url import fault_of_public_url
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository, Repository
from variant_publish.store.places import folder_of, open_store
from variant_publish.store.store import Store


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
