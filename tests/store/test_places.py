"""Which address opens which store."""

from __future__ import annotations

from pathlib import Path

import pytest

from variant_publish.errors import UsageError
from variant_publish.store.folder import LocalStore
from variant_publish.store.places import folder_of, open_store
from variant_publish.store.s3 import S3Store


@pytest.mark.parametrize(
    ("place", "bucket", "prefix"),
    [("s3://wheels/simple", "wheels", "simple/"), ("s3://wheels", "wheels", ""), ("s3://my.wheels/a/b/", "my.wheels", "a/b/")],
)  # fmt: skip
def test_a_bucket(place: str, bucket: str, prefix: str) -> None:
    store = open_store(place)
    assert isinstance(store, S3Store)
    assert (store.bucket.name, store.prefix) == (bucket, prefix)
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
