"""The index: masters change by compare-and-swap, and pages follow them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace
from pypi_simple import ProjectPage

from support.publishing import snapshot
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import RootIndex
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import ProjectFacts, merged_files, update_project
from variant_publish.index.masters import read_index
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict

SHA = "ab" * 32


def entry(number: int, project: str = "foo") -> IndexFile:
    name = f"{project.replace('-', '_')}-1.{number}-py3-none-any.whl"
    return IndexFile(name, name, hashlib.sha256(name.encode()).hexdigest(), 10, upload_time="2026-01-01T00:00:00Z")


def selector(*tags: str) -> SelectorFiles:
    return SelectorFiles.of(SelectorFile({"cpu": Selector({"x": tags})}))


def page_of(store: LocalStore) -> set[str]:
    page = ProjectPage.from_html("foo", (store.folder / "foo/index.html").read_text("utf-8"))
    return {package.filename for package in page.packages}


def test_entries_are_added_and_pages_follow(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    first = update_project(store, "foo", [entry(1)])
    assert first.written == ("foo/index.json", "foo/index.html", "index.json", "index.html")
    second = update_project(store, "foo", [entry(2)])
    assert second.written == first.written
    assert second.index.generation == 2
    assert page_of(store) == {entry(1).filename, entry(2).filename}
    assert RootIndex.parse((tmp_path / "index.json").read_bytes()).names == ("foo",)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    update_project(store, "foo", [entry(1)], ProjectFacts("1.1", selector("a")))
    before = snapshot(tmp_path)
    later = replace(entry(1), upload_time="2030-01-01T00:00:00Z")
    assert update_project(store, "foo", [later], ProjectFacts("1.1", selector("a"))).written == ()
    assert snapshot(tmp_path) == before


def test_an_empty_update_of_nothing_makes_no_project(tmp_path: Path) -> None:
    assert update_project(LocalStore(tmp_path), "foo").written == ()
    assert not (tmp_path / "foo").exists()


def test_another_hash_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    update_project(store, "foo", [entry(1)])
    before = snapshot(tmp_path)
    with pytest.raises(Conflict, match=entry(1).filename):
        update_project(store, "foo", [replace(entry(1), sha256=SHA), entry(2)])
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("damage", ["foo/index.html", "index.html", "foo/foo-1.1-wheel-selector.toml"])
@pytest.mark.parametrize("old", [None, b"an old page"])
def test_old_and_missing_pages_are_mended(tmp_path: Path, damage: str, old: bytes | None) -> None:
    store = LocalStore(tmp_path)
    update_project(store, "foo", [entry(1)], ProjectFacts("1.1", selector("a")))
    good = (tmp_path / damage).read_bytes()
    (tmp_path / damage).unlink()
    if old is not None:
        (tmp_path / damage).write_bytes(old)
    assert update_project(store, "foo", facts=ProjectFacts("1.1")).written == (damage,)
    assert (tmp_path / damage).read_bytes() == good


def test_selector_texts_are_merged_and_old_ones_stay_where_they_were(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    first = update_project(store, "foo", [entry(1)], ProjectFacts("1.1", selector("a")))
    second = update_project(store, "foo", facts=ProjectFacts("1.1", selector("a", "b")))
    name = "foo-1.1-wheel-selector.toml"
    old, new = first.index.file(name), second.index.file(name)
    assert old is not None
    assert new is not None
    assert old.url != new.url
    for file in (old, new):
        content = (tmp_path / "foo" / file.url).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
    assert (tmp_path / "foo" / name).read_bytes() == (tmp_path / "foo" / new.url).read_bytes()
    # A job that knows less takes nothing away.
    assert update_project(store, "foo", facts=ProjectFacts("1.1", selector("a"))).written == ()


def test_what_is_known_of_an_entry_is_kept() -> None:
    own = replace(entry(1), requires_python=">=3.9", metadata_sha256=SHA, yanked="bad")
    link = replace(entry(1), url="https://files.example.org/x", size=None, upload_time="2030-01-01T00:00:00Z")
    assert merged_files("here", [own], [link]) == (own,)
    (hosted,) = merged_files("here", [link], [replace(own, yanked=None)])
    assert hosted.url == own.url
    assert hosted.upload_time == link.upload_time
    moved = replace(link, url="https://files.example.org/moved")
    assert merged_files("here", [link], [moved])[0].url == moved.url


def test_eight_writers_lose_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: update_project(store, "foo", [entry(number)]), range(24)))
    index = read_index(store, "foo")
    assert index is not None
    assert index.generation == 24
    assert {file.filename for file in index.files} == {entry(number).filename for number in range(24)} == page_of(store)


def test_new_projects_meet_in_the_root(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    names = [f"project-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: update_project(store, name, [entry(1, name)]), names))
    assert RootIndex.parse((tmp_path / "index.json").read_bytes()).names == tuple(sorted(names))
    page = (tmp_path / "index.html").read_text("utf-8")
    assert all(f'href="{name}/"' in page for name in names)


@pytest.mark.slow
def test_processes_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from variant_publish.formats.simple import IndexFile\n"
        "from variant_publish.index.index import update_project\n"
        "from variant_publish.store.folder import LocalStore\n"
        "for number in range(5):\n"
        "    name = f'foo-{sys.argv[2]}.{number}-py3-none-any.whl'\n"
        "    update_project(LocalStore(Path(sys.argv[1])), 'foo', [IndexFile(name, name, 'ab' * 32)])\n"
    )
    jobs = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)]) for number in range(8)]
    assert [job.wait(timeout=60) for job in jobs] == [0] * 8
    index = read_index(LocalStore(tmp_path), "foo")
    assert index is not None
    assert len(index.files) == 40
    assert len(page_of(LocalStore(tmp_path))) == 40


def test_a_master_of_another_tool_is_named(tmp_path: Path) -> None:
    (tmp_path / "foo").mkdir()
    (tmp_path / "foo/index.json").write_text("{}")
    with pytest.raises(VariantPublishError, match=r"foo/index\.json"):
        update_project(LocalStore(tmp_path), "foo", [entry(1)])
