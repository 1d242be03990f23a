"""What a configuration can name as a destination."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.publish.destinations import folder_of, open_repository, open_store
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.repository import FolderRepository
from variant_publish.store.folder import LocalStore
from variant_publish.store.s3 import S3Store


@pytest.mark.parametrize(
    ("place", "bucket", "prefix"),
    [("s3://wheels/simple", "wheels", "simple/"), ("s3://wheels", "wheels", ""), ("s3://my.wheels/a/b/", "my.wheels", "a/b/")],
)  # fmt: skip
def test_a_bucket(place: str, bucket: str, prefix: str) -> None:
    store = open_store(place)
    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix) == (bucket, prefix)
    assert store.describe().startswith(f"s3://{bucket}")


def test_a_folder(tmp_path: Path) -> None:
    store = open_store("file:dist-index")
    assert isinstance(store, LocalStore)
    assert store.folder == Path("dist-index")
    assert folder_of((tmp_path / "a b").as_uri()) == tmp_path / "a b"
    assert folder_of(f"file:{tmp_path}") == tmp_path


@pytest.mark.parametrize("place", ["", "dist-index", "https://wheels.example.org", "s3://", "s3:///x", "file:"])
def test_anything_else_is_refused_with_the_two_forms(place: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(place)
    assert "file:DIR" in str(caught.value)


def test_no_password_of_a_wrong_place_is_shown() -> None:
    with pytest.raises(UsageError) as caught:
        open_store("https://me:planted@wheels.example.org")
    assert "planted" not in str(caught.value)


def test_folders_of_other_machines_are_refused() -> None:
    with pytest.raises(UsageError, match="another machine"):
        folder_of("file://server/share")


def test_repositories() -> None:
    table = UploadTable()
    assert open_repository(table) is None
    assert isinstance(open_repository(msgspec.structs.replace(table, repository="pypi")), TwineRepository)
    folder = open_repository(msgspec.structs.replace(table, repository_url="file:pypi"))
    assert isinstance(folder, FolderRepository)
    assert folder.page_folder == Path("dist-index")
