"""Masters of strangers: a value or one sentence, and whatever is done with the value stays in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fuzz import fuzz
from support.publishing import snapshot
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex, RootIndex, selector_entry
from variant_publish.formats.simple import IndexFile
from variant_publish.index.pages import render_project, render_root
from variant_publish.index.verify import verify
from variant_publish.store.folder import LocalStore

WHEEL = "foo-1.0-py3-none-any.whl"
MASTER = (
    ProjectIndex(
        "foo",
        needs={"1.0": {"cu128": "a driver"}},
        removed=("0.1",),
        leaving=("foo-0.1-py3-none-any.whl",),
        pins={"bar==2": ("1.0",)},
        status="deprecated",
        views={"1.0": {"cu128": "https://h/views/cu128"}},
    )
    .updated(
        [IndexFile(WHEEL, WHEEL, "ab" * 32, 5, yanked="bad")], "1.0", [selector_entry("foo-1.0-variants.json", "{}")]
    )
    .dumps()
    .encode()
)
ROOT = RootIndex(("foo", "bar"), 2).dumps().encode()
WORDS = (
    b"..",
    b"%2e%2e%2f",
    b"../../evil.txt",
    b"foo/../../evil",
    b"_selectors",
    b"_leaving",
    b'"',
    b"index.json",
    b"/",
)


def test_a_master_is_a_value_or_one_sentence() -> None:
    fuzz(lambda content: render_project(ProjectIndex.parse(content)), [MASTER], words=WORDS)


def test_a_list_of_projects_is_a_value_or_one_sentence() -> None:
    fuzz(lambda content: render_root(RootIndex.parse(content)), [ROOT], words=WORDS)


def test_repairing_a_hostile_index_writes_nothing_outside_it(tmp_path: Path) -> None:
    place = tmp_path / "around" / "index"
    (place / "foo").mkdir(parents=True)
    (place / "bar").mkdir()
    (tmp_path / "around" / "evil.txt").write_text("mine")
    other = ProjectIndex("bar").updated([IndexFile("bar-2.tar.gz", "bar-2.tar.gz", "cd" * 32)]).dumps()
    store = LocalStore(place)

    def repair(content: bytes) -> None:
        (place / "foo/index.json").write_bytes(content)
        (place / "bar/index.json").write_text(other, "utf-8")
        (place / "bar/index.html").write_bytes(b"the page of bar")
        (place / "index.json").write_bytes(ROOT)
        try:
            verify(store, ["foo"], repair=True)
        finally:
            assert (place / "bar/index.html").read_bytes() == b"the page of bar"

    fuzz(repair, [MASTER], words=WORDS)
    outside = {path for path in snapshot(tmp_path) if not path.startswith("around/index/")}
    assert outside == {"around/evil.txt"}
    folders = {path.split("/")[2] for path in snapshot(tmp_path) if path.startswith("around/index/")}
    assert folders <= {"foo", "bar", "index.json", "index.html", ".variant-publish"}


@pytest.mark.parametrize("name", ["../../evil", "bar", "foo/../bar"])
def test_a_master_under_another_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "foo").mkdir()
    (tmp_path / "foo/index.json").write_bytes(MASTER.replace(b'"name": "foo"', b'"name": "%s"' % name.encode()))
    with pytest.raises(VariantPublishError, match=r"foo/index\.json"):
        verify(LocalStore(tmp_path), ["foo"], repair=True)
