"""Looking after an index: yank, remove, clean up, verify and adopt, in a folder and in a bucket."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pypi_simple import ProjectPage

from support.moto import BUCKET, Moto
from support.publishing import CONFIG, GENERIC, PLUS, make_release, run
from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.index.adopt import adopt
from variant_publish.index.index import project_pages
from variant_publish.index.masters import read_index
from variant_publish.index.retention import Retention, plan_cleanup, stale_uploads
from variant_publish.index.verify import verify
from variant_publish.index.yank import Pinned, plan_removal, remove, set_status, yank
from variant_publish.release.release import load
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import BINARY, HTML, Conflict
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Store

SELECTOR = "foo-bar-1.0-wheel-selector.toml"
BASE = "https://h/simple/foo-bar/"


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield LocalStore(tmp_path / "index")
        return
    moto: Moto = request.getfixturevalue("moto")
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as found:
        yield found


def publish(store: Store, folder: Path, *names: str, requires: tuple[str, ...] = ()) -> None:
    for name in names:
        make_wheel(folder, name, requires=requires)
    run(load([folder], Config.parse(CONFIG)).only(), store)


def put(store: Store, key: str, content: bytes) -> None:
    store.create(key, content, sha256=hashlib.sha256(content).hexdigest(), content_type=BINARY)


def listed(store: Store, project: str = "foo-bar") -> dict[str, str | None]:
    """Give file name -> yank reason, as both the master and the page of a project have it."""
    index = read_index(store, project)
    assert index is not None
    (key, *_) = store.page_keys(f"{project}/")
    stored = store.read(key)
    assert stored is not None
    page = ProjectPage.from_html(project, stored.content.decode(), base_url=BASE)
    found = {file.filename: file.yanked for file in index.files}
    assert {p.filename: (p.yanked_reason or "") if p.is_yanked else None for p in page.packages} == found
    return found


def keys(store: Store) -> set[str]:
    return {item.key for item in store.keys("")}


def test_a_yank_has_a_reason_and_can_be_taken_back(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", GENERIC, PLUS)
    assert yank(store, "Foo_Bar", ["1.0"], 'broken "on" <Windows>').written
    assert listed(store) == {GENERIC: 'broken "on" <Windows>', PLUS: 'broken "on" <Windows>', SELECTOR: None}
    assert not yank(store, "foo-bar", ["1.0"], 'broken "on" <Windows>').written
    publish(store, tmp_path / "dist")  # publishing again does not bring it back
    yank(store, "foo-bar", [PLUS], None)
    assert listed(store) == {GENERIC: 'broken "on" <Windows>', PLUS: None, SELECTOR: None}
    assert verify(store).is_sound
    with pytest.raises(UsageError, match=r"no version or file '2\.0'"):
        yank(store, "foo-bar", ["2.0"], "")
    with pytest.raises(UsageError, match="no project 'bar'"):
        yank(store, "bar", ["2.0"], "")


def test_a_status_is_told_and_an_archived_project_takes_no_new_files(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", PLUS)
    set_status(store, "foo-bar", "archived", "see <foo>")
    index = read_index(store, "foo-bar")
    assert index is not None
    assert '"project-status": {' in index.dumps()
    stored = store.read(store.page_keys("foo-bar/")[0])
    assert stored is not None
    page = ProjectPage.from_html("foo-bar", stored.content.decode())
    assert (page.status, page.status_reason) == ("archived", "see <foo>")
    publish(store, tmp_path / "dist")
    with pytest.raises(Conflict, match="archived"):
        publish(store, tmp_path / "dist", GENERIC)
    set_status(store, "foo-bar", "active")
    publish(store, tmp_path / "dist")
    assert GENERIC in listed(store)


def test_removing_takes_pages_first_and_the_name_is_never_used_again(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", GENERIC, PLUS)
    publish(store, tmp_path / "new", GENERIC.replace("1.0", "1.1"))
    plan = plan_removal(store, "foo-bar", ["1.0"])
    assert {file.filename for file in plan.files} == {GENERIC, PLUS}
    remove(store, plan)
    assert set(listed(store)) == {GENERIC.replace("1.0", "1.1")}
    assert not any("-1.0-" in key for key in keys(store))
    assert verify(store).is_sound
    before = keys(store)
    with pytest.raises(Conflict, match="was removed"):
        publish(store, tmp_path / "dist")
    assert keys(store) == before
    again = plan_removal(store, "foo-bar", ["1.0"])
    assert again.files == ()
    assert remove(store, again).written == ()


def test_removing_one_file_leaves_the_others(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", GENERIC, PLUS)
    remove(store, plan_removal(store, "foo-bar", [PLUS]))
    assert set(listed(store)) == {GENERIC, SELECTOR}
    assert verify(store, deep=True).is_sound


def test_a_removal_that_was_cut_off_is_finished(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(store, tmp_path / "dist", GENERIC, PLUS)
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "delete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(store, plan_removal(store, "foo-bar", ["1.0"]))
    assert listed(store) == {}
    assert any(PLUS in key for key in keys(store))
    remove(store, plan_removal(store, "foo-bar", ["1.0"]))
    assert not any("-1.0-" in key for key in keys(store))


def test_what_another_release_pins_is_removed_only_by_force(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", PLUS)
    publish(store, tmp_path / "other", "baz-3-py3-none-any.whl", requires=("foo-bar+cu128 == 1.0", "foo-bar >= 0"))
    plan = plan_removal(store, "foo-bar", ["1.0"])
    (pin,) = plan.pins
    assert "baz 3" in pin
    with pytest.raises(Pinned, match="baz 3"):
        remove(store, plan)
    assert PLUS in listed(store)
    remove(store, plan, force=True)
    assert PLUS not in listed(store)


def test_old_nightlies_go_and_pinned_ones_stay(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 6):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_700_000_000 + day * 86_400))
        publish(store, tmp_path / str(day), GENERIC.replace("1.0", f"2.0.dev{day}"))
    publish(store, tmp_path / "dist", GENERIC)
    publish(store, tmp_path / "other", "baz-3-py3-none-any.whl", requires=("foo-bar == 2.0.dev1",))
    now = datetime.fromtimestamp(1_700_000_000 + 6 * 86_400, UTC)

    def old(rule: Retention) -> list[str]:
        return [version for item in plan_cleanup(store, "foo-bar", rule, now).removals for version in item.versions]

    assert old(Retention(keep=2)) == ["2.0.dev3", "2.0.dev2"]
    assert old(Retention(days=2)) == ["2.0.dev3", "2.0.dev2"]
    assert old(Retention(keep=4, days=1)) == []
    plan = plan_cleanup(store, "foo-bar", Retention(keep=0), now)
    assert [version for version, _ in plan.kept] == ["2.0.dev1"]
    for removal in plan.removals:
        remove(store, removal)
    index = read_index(store, "foo-bar")
    assert index is not None
    assert index.versions == ("1.0", "2.0.dev1")
    assert verify(store).is_sound


def test_uploads_that_were_cut_off_are_listed_and_ended(store: Store) -> None:
    if isinstance(store, LocalStore):
        path = store.folder / "foo-bar/.foo.whl.12345678.part"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (0, 0))
    else:
        assert isinstance(store, S3Store)
        store.client.create_multipart_upload(Bucket=BUCKET, Key="simple/foo-bar/foo.whl")
    (pending,) = stale_uploads(store, 7, datetime.now(UTC))
    assert pending.key.startswith("foo-bar/")
    assert stale_uploads(store, 7, datetime.fromisoformat(pending.begun) + timedelta(days=1)) == ()
    store.end(pending)
    store.end(pending)
    assert stale_uploads(store, 7, datetime.now(UTC)) == ()


def damage(store: Store, key: str, content: bytes | None) -> None:
    """Do what no command of ours does: change what is there."""
    if isinstance(store, LocalStore):
        store.delete(key)
        if content is not None:
            put(store, key, content)
        return
    assert isinstance(store, S3Store)
    store.delete(key)
    if content is not None:
        store.client.put_object(Bucket=BUCKET, Key=store.prefix + key, Body=content)


def test_verifying_finds_what_is_wrong_and_repairs_pages(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path / "dist", GENERIC, PLUS)
    assert not verify(store, deep=True).table()["troubles"]
    page = store.page_keys("foo-bar/")[0]
    root = store.page_keys("")[0]
    for key in (page, root):
        damage(store, key, b"<h1>an old page</h1>")
    damage(store, f"foo-bar/{SELECTOR}", None)
    found = verify(store)
    assert {trouble.key for trouble in found.troubles} == {page, root, f"foo-bar/{SELECTOR}"}
    assert not found.is_sound
    assert verify(store, repair=True).is_sound
    assert verify(store, deep=True).is_sound
    size = len((tmp_path / "dist" / PLUS).read_bytes())
    damage(store, f"foo-bar/{PLUS}", b"x" * size)
    damage(store, f"foo-bar/{GENERIC}", b"short")
    damage(store, f"foo-bar/{PLUS}.metadata", None)
    put(store, "foo-bar/unlisted.whl", b"")
    shallow = verify(store)
    assert {trouble.key for trouble in shallow.troubles} == {f"foo-bar/{GENERIC}", f"foo-bar/{PLUS}.metadata"}
    assert shallow.unlisted == ("foo-bar/unlisted.whl",)
    assert "other bytes" in str(verify(store, deep=True).troubles)
    assert not verify(store, repair=True).is_sound


@pytest.mark.parametrize("key", ["foo-bar/", "foo-bar/index.html"])
@pytest.mark.parametrize("content", [b"<h1>another page</h1>", None])
def test_a_page_that_differs_from_its_twin_is_mended(
    moto: Moto, tmp_path: Path, key: str, content: bytes | None
) -> None:
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        publish(store, tmp_path / "dist", GENERIC)
        damage(store, key, content)
        publish(store, tmp_path / "dist", PLUS)
        pages = [store.read(page) for page in store.page_keys("foo-bar/")]
        assert [page is not None and PLUS.replace("+", "%2B").encode() in page.content for page in pages] == [True] * 2
        assert verify(store, deep=True).is_sound
        damage(store, key, content)
        publish(store, tmp_path / "dist")
        assert verify(store).is_sound, "the same command again"


@pytest.mark.parametrize("flat", [False, True])
def test_a_bucket_of_wheels_is_adopted(store: Store, tmp_path: Path, flat: bool) -> None:
    for name in (GENERIC, PLUS):
        path = make_wheel(tmp_path / "dist", name, headers=["Requires-Python: >=3.9"])
        put(store, name if flat else f"foo-bar/{name}", path.read_bytes())
    if not flat:
        put(store, f"foo-bar/{SELECTOR}", SelectorFile({"x": Selector({"1": ("cu128", "")})}).dumps().encode())
    (adopted,) = adopt(store, hash_all=True)
    assert adopted.unhashed == ()
    index = read_index(store, "foo-bar")
    assert index is not None
    entry = index.file(PLUS)
    assert entry is not None
    assert entry.sha256 == hashlib.sha256((tmp_path / "dist" / PLUS).read_bytes()).hexdigest()
    assert (entry.requires_python, entry.metadata_sha256 is not None) == (">=3.9", True)
    assert entry.url == ("../" if flat else "") + PLUS.replace("+", "%2B")
    assert (index.file(SELECTOR) is None) is flat
    assert verify(store, deep=True).is_sound
    (again,) = adopt(store)
    assert again.written == ()


def test_pages_of_another_tool_are_adopted(store: Store, tmp_path: Path) -> None:
    path = make_wheel(tmp_path / "dist", PLUS)
    put(store, f"cu128/{PLUS}", path.read_bytes())
    digest = "ab" * 32
    page = (
        f'<a href="/whl/cu128/{PLUS.replace("+", "%2B")}#sha256={digest}" data-yanked="bad">{PLUS}</a>'
        f'<a href="https://files.example.org/{GENERIC}#sha256={digest}" data-requires-python="&gt;=3.9">{GENERIC}</a>'
        f'<a href="gone-1.0.tar.gz">foo-bar-0.1.tar.gz</a>'
    )
    for key in store.page_keys("foo-bar/"):
        store.swap(key, page.encode(), etag=None, content_type=HTML, generation=0)
    (adopted,) = adopt(store, "foo_bar")
    assert set(adopted.files) == {GENERIC, PLUS}
    index = read_index(store, "foo-bar")
    assert index is not None
    own, link = index.file(PLUS), index.file(GENERIC)
    assert own is not None
    assert link is not None
    assert (own.url, own.sha256, own.yanked) == (f"../cu128/{PLUS.replace('+', '%2B')}", digest, "bad")
    assert own.metadata_sha256 is not None
    assert (link.url, link.requires_python) == (f"https://files.example.org/{GENERIC}", ">=3.9")
    assert {trouble.what for trouble in verify(store).troubles} == set()
    assert any("other bytes" in trouble.what for trouble in verify(store, deep=True).troubles)


def test_nothing_to_adopt_is_said(store: Store) -> None:
    with pytest.raises(UsageError, match="holds no wheels of foo"):
        adopt(store, "foo")


def test_adopting_reads_the_tail_of_a_wheel_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "index")
    path = make_wheel(tmp_path / "dist", PLUS, files={"foo_bar.bin": os.urandom(2_000_000)})
    put(store, f"foo-bar/{PLUS}", path.read_bytes())
    read: list[int] = []
    whole = LocalStore.read_range

    def counted(self: LocalStore, key: str, offset: int, length: int) -> bytes:
        read.append(length)
        return whole(self, key, offset, length)

    monkeypatch.setattr(LocalStore, "read_range", counted)
    adopt(store)
    assert sum(read) < 300_000


def test_pages_of_every_release_are_known(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "index")
    run(make_release(tmp_path / "dist"), store)
    index = read_index(store, "foo-bar")
    assert index is not None
    assert {key for key, _, _ in project_pages(store, index, index.selectors)} == {
        "foo-bar/index.html",
        f"foo-bar/{SELECTOR}",
    }
