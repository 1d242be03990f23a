"""What a configuration can name as a destination."""

from __future__ import annotations

from pathlib import Path

import msgspec

from variant_publish.config.tables import UploadTable
from variant_publish.publish.destinations import open_repository
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository


def test_repositories() -> None:
    table = UploadTable()
    assert open_repository(table) is None
    assert isinstance(open_repository(msgspec.structs.replace(table, repository="pypi")), TwineRepository)
    folder = open_repository(msgspec.structs.replace(table, repository_url="file:pypi"))
    assert isinstance(folder, FolderRepository)
    assert folder.page_folder == Path("dist-index")
