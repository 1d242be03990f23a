"""Files that the store makes of what it has: no byte of them is sent, and nobody can slip in another source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.moto import BUCKET, Moto
from variant_publish.errors import VariantPublishError
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict, CreateOutcome
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Source, Store
from variant_publish.store.stored_file import SplicedFile, StoredFile, spliced

CONTENT = b"".join(bytes([number % 251]) * 100 for number in range(3000))
PART = 64 * 1024


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def create(store: Store, key: str, source: Source, content: bytes = CONTENT) -> CreateOutcome:
    return store.create(key, source, sha256=sha256(content), content_type="application/octet-stream")


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Give two places of one kind of store."""
    if request.param == "folder":
        yield LocalStore(tmp_path / "from"), LocalStore(tmp_path / "to")
        return
    moto: Moto = request.getfixturevalue("moto")
    request.getfixturevalue("monkeypatch").setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    found = [S3Store(BUCKET, name, endpoint_url=moto.endpoint_url, part_size=PART) for name in ("from", "to")]
    yield found[0], found[1]
    for store in found:
        store.close()


def sent(store: Store) -> list[int]:
    """Return the sizes of bodies that a bucket is sent from now on."""
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: object) -> None:
        sizes.append(len(params["Body"]))

    if isinstance(store, S3Store):
        for name in ("PutObject", "UploadPart"):
            store.client.meta.events.register(f"provide-client-params.s3.{name}", note)
    return sizes


def requests(store: S3Store, name: str) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    store.client.meta.events.register(f"provide-client-params.s3.{name}", lambda params, **_: seen.append(dict(params)))
    return seen


def test_a_copy_has_the_same_bytes_and_sends_none(places: tuple[Store, Store]) -> None:
    source, target = places
    key = "foo/foo-1.0-py3-none-any+cu128.whl"
    create(source, key, CONTENT)
    target.preflight(10**6)
    sizes = sent(target)
    assert create(target, "foo/a+b.whl", StoredFile.of(source, key)) is CreateOutcome.CREATED
    assert sizes == []
    assert target.digest("foo/a+b.whl") == sha256(CONTENT)
    assert create(target, "foo/a+b.whl", StoredFile.of(source, key)) is CreateOutcome.ALREADY_THERE
    create(target, "foo/other.whl", b"other", b"other")
    with pytest.raises(Conflict):
        create(target, "foo/other.whl", StoredFile.of(source, key))
    assert target.read("foo/other.whl").content == b"other"  # type: ignore[union-attr]


def test_a_file_that_begins_like_another_sends_its_end_alone(places: tuple[Store, Store], tmp_path: Path) -> None:
    source, target = places
    create(source, "foo/base.whl", CONTENT)
    shared = 4 * PART + 100
    content = CONTENT[:shared] + b"x" * 20_000
    (tmp_path / "new.whl").write_bytes(content)
    target.preflight(10**6)
    sizes = sent(target)
    (tmp_path / "base.whl").write_bytes(CONTENT)
    new = spliced(tmp_path / "new.whl", tmp_path / "base.whl", StoredFile.of(source, "foo/base.whl"))
    assert new.shared == shared
    assert create(target, "foo/new.whl", new, content) is CreateOutcome.CREATED
    assert target.digest("foo/new.whl") == sha256(content)
    if isinstance(target, S3Store):
        assert sum(size for size in sizes if size > 1000) == len(content) - 4 * PART
        assert target.pending() == ()
    assert create(target, "foo/new.whl", new, content) is CreateOutcome.ALREADY_THERE


def test_only_the_end_of_a_spliced_file_need_be_here(places: tuple[Store, Store], tmp_path: Path) -> None:
    source, target = places
    create(source, "foo/base.whl", CONTENT)
    shared = 4 * PART + 100
    (tmp_path / "rest").write_bytes(b"..." + b"x" * 20_000)
    content = CONTENT[:shared] + b"x" * 20_000
    base = StoredFile.of(source, "foo/base.whl")
    new = SplicedFile(base, shared, len(content), tmp_path / "rest", 3)
    assert [new.read(at, 1000) for at in (0, shared - 500, shared, len(content) - 10)] == [
        content[at : at + 1000] for at in (0, shared - 500, shared, len(content) - 10)
    ]
    assert create(target, "foo/new.whl", new, content) is CreateOutcome.CREATED
    assert target.digest("foo/new.whl") == sha256(content)
    small = SplicedFile(base, 10, 20_010, tmp_path / "rest", 3)
    assert create(target, "foo/small.whl", small, CONTENT[:10] + b"x" * 20_000) is CreateOutcome.CREATED


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (b"", b"", 0),
        (b"a", b"", 0),
        (b"", b"a", 0),
        (b"abc", b"abd", 2),
        (b"ab", b"abc", 2),
        (b"abc", b"ab", 2),
        (b"x", b"y", 0),
    ],
)
def test_what_two_files_begin_with_is_found(one: bytes, other: bytes, shared: int, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "index")
    create(store, "foo/base.whl", other, other)
    for name, content in (("one", one), ("other", other)):
        (tmp_path / name).write_bytes(content)
    found = spliced(tmp_path / "one", tmp_path / "other", StoredFile.of(store, "foo/base.whl"))
    assert found.shared == shared
    assert found.read(0, 100) == one


def test_a_source_that_is_gone_is_named(places: tuple[Store, Store]) -> None:
    source, target = places
    create(source, "foo/base.whl", CONTENT)
    stored = StoredFile.of(source, "foo/base.whl")
    source.delete("foo/base.whl")
    with pytest.raises(VariantPublishError, match=r"base\.whl"):
        create(target, "foo/new.whl", stored)
    assert target.stat("foo/new.whl") is None
    with pytest.raises(VariantPublishError, match="is not there any more"):
        StoredFile.of(source, "foo/base.whl")


def test_a_source_that_changed_is_not_read_on(places: tuple[Store, Store]) -> None:
    source, _ = places
    create(source, "foo/base.whl", CONTENT)
    stored = StoredFile.of(source, "foo/base.whl")
    assert stored.read_range(100, 200) == CONTENT[100:300]
    source.delete("foo/base.whl")
    create(source, "foo/base.whl", CONTENT[::-1], CONTENT[::-1])
    with pytest.raises(VariantPublishError):
        stored.read_range(0, 100)


def test_other_kinds_of_store_are_copied_over_this_machine(moto: Moto, tmp_path: Path) -> None:
    folder, bucket = LocalStore(tmp_path), S3Store(BUCKET, "to", endpoint_url=moto.endpoint_url)
    create(folder, "foo/base.whl", CONTENT)
    create(bucket, "foo/there.whl", StoredFile.of(folder, "foo/base.whl"))
    create(folder, "foo/back.whl", StoredFile.of(bucket, "foo/there.whl"))
    assert (tmp_path / "foo/back.whl").read_bytes() == CONTENT
    bucket.close()


def test_requests_carry_the_conditions_that_stores_hold(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every stand-in holds them, so what is asked for is looked at here."""
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr("variant_publish.store.s3.S3Store.copy_part", 100_000)
    store = S3Store(BUCKET, "to", endpoint_url=moto.endpoint_url)
    create(store, "foo/base.whl", CONTENT)
    stored = StoredFile.of(store, "foo/base.whl")
    parts, ends = requests(store, "UploadPartCopy"), requests(store, "CompleteMultipartUpload")
    create(store, "foo/new.whl", stored)
    ranges = sorted(part["CopySourceRange"] for part in parts)
    assert ranges == ["bytes=0-99999", "bytes=100000-199999", "bytes=200000-299999"]
    assert {part["CopySourceIfMatch"] for part in parts} == {stored.stat.etag} != {""}
    assert [end["IfNoneMatch"] for end in ends[-1:]] == ["*"]
    store.close()


def answering(store: S3Store, code: str, status: int) -> None:
    """Let every copy of a part be answered like this."""
    parsed = {"Error": {"Code": code, "Message": "planned"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def answer(**_: object) -> Any:
        return SimpleNamespace(status_code=status), parsed

    store.client.meta.events.register("before-call.s3.UploadPartCopy", answer)


@pytest.mark.parametrize(
    ("code", "status", "made"),
    [("PreconditionFailed", 412, False), ("NoSuchKey", 404, False), ("NotImplemented", 501, True)],
)
def test_a_changed_source_ends_the_copy_and_a_store_that_cannot_copy_is_sent_the_bytes(
    moto: Moto, code: str, status: int, made: bool
) -> None:
    store = S3Store(BUCKET, "to", endpoint_url=moto.endpoint_url)
    create(store, "foo/base.whl", CONTENT)
    answering(store, code, status)
    if made:
        create(store, "foo/new.whl", StoredFile.of(store, "foo/base.whl"))
    else:
        with pytest.raises(VariantPublishError, match=r"base\.whl was changed or deleted while it was copied"):
            create(store, "foo/new.whl", StoredFile.of(store, "foo/base.whl"))
    assert (store.stat("foo/new.whl") is not None) is made
    assert store.pending() == ()
    store.close()
