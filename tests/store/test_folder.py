"""The folder store."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.publishing import snapshot
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import BINARY, HTML, Conflict, CreateOutcome, content_type_of


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def create(store: LocalStore, key: str, content: bytes) -> CreateOutcome:
    return store.create(key, content, sha256=digest(content), content_type=BINARY)


def test_a_name_is_used_once(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert create(store, "foo/a.whl", b"one") is CreateOutcome.CREATED
    before = snapshot(tmp_path)
    assert create(store, "foo/a.whl", b"one") is CreateOutcome.ALREADY_THERE
    with pytest.raises(Conflict, match=r"foo/a\.whl"):
        create(store, "foo/a.whl", b"two")
    assert snapshot(tmp_path) == before


def test_a_file_is_copied_and_progress_told(tmp_path: Path) -> None:
    source = tmp_path / "a.whl"
    source.write_bytes(b"x" * 3_000_000)
    counts: list[int] = []
    store = LocalStore(tmp_path / "index")
    store.create("foo/a.whl", source, sha256=digest(source.read_bytes()), content_type=BINARY, advance=counts.append)
    assert sum(counts) == 3_000_000
    assert (tmp_path / "index/foo/a.whl").read_bytes() == source.read_bytes()


def test_a_file_that_changed_meanwhile_is_not_published(tmp_path: Path) -> None:
    source = tmp_path / "a.whl"
    source.write_bytes(b"new")
    with pytest.raises(VariantPublishError, match="changed while"):
        LocalStore(tmp_path / "index").create("foo/a.whl", source, sha256=digest(b"old"), content_type=BINARY)
    assert snapshot(tmp_path / "index") == {}


def test_a_page_is_swapped_only_from_what_was_read(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.read("foo/index.html") is None
    assert not store.swap("foo/index.html", b"one", etag="nothing", content_type=HTML, generation=1)
    assert store.swap("foo/index.html", b"one", etag=None, content_type=HTML, generation=1)
    assert not store.swap("foo/index.html", b"two", etag=None, content_type=HTML, generation=2)
    found = store.read("foo/index.html")
    assert found is not None
    assert found.content == b"one"
    assert store.swap("foo/index.html", b"two", etag=found.etag, content_type=HTML, generation=2)
    assert not store.swap("foo/index.html", b"three", etag=found.etag, content_type=HTML, generation=3)


def test_of_many_swaps_one_wins(tmp_path: Path) -> None:
    def increment(_: int) -> int:
        lost = 0
        while True:
            found = store.read("count")
            number = int(found.content) if found else 0
            etag = found.etag if found else None
            if store.swap("count", str(number + 1).encode(), etag=etag, content_type=HTML, generation=0):
                return lost
            lost += 1

    store = LocalStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(64)))
    assert (tmp_path / "count").read_bytes() == b"64"


def test_stat_tells_the_size(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.stat("a") is None
    create(store, "a", b"abc")
    found = store.stat("a")
    assert found is not None
    assert found.size == 3


def test_preflight_makes_the_folder_and_refuses_a_file(tmp_path: Path) -> None:
    LocalStore(tmp_path / "a/b").preflight()
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a folder"):
        LocalStore(tmp_path / "file").preflight()


def test_trouble_is_not_absence(tmp_path: Path) -> None:
    (tmp_path / "foo").touch()
    with pytest.raises(VariantPublishError, match="cannot be used"):
        LocalStore(tmp_path).read("foo/index.json")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a/index.html", "text/html; charset=utf-8"),
        ("a-1-variants.json", "application/json"),
        ("a-1-wheel-selector.toml", "application/toml"),
        ("a-1-py3-none-any.whl", "application/octet-stream"),
        ("a-1-py3-none-any.whl.metadata", "text/plain; charset=utf-8"),
    ],
)
def test_content_types(key: str, kind: str) -> None:
    assert content_type_of(key) == kind
