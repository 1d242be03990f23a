"""The repository that a configuration names."""

from __future__ import annotations

from variant_publish.config.tables import UploadTable
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository, Repository
from variant_publish.store.registry import folder_of


def open_repository(upload: UploadTable) -> Repository | None:
    """Return the repository that a configuration names; None where it names none."""
    address = upload.repository_url or ""
    if not address and upload.repository is None:
        return None
    if address.startswith("file:"):
        page = folder_of(upload.extra_index) if upload.extra_index.startswith("file:") else None
        return FolderRepository(folder_of(address), page)
    return TwineRepository(upload)
