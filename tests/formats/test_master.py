"""Masters: they survive the way out and in, and refuse what would leave the index."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex, RootIndex, selector_entry, stored_key
from variant_publish.formats.simple import IndexFile


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": 1}'])
def test_what_is_no_master_is_refused(content: str) -> None:
    with pytest.raises(VariantPublishError, match="PEP 691"):
        ProjectIndex.parse(content)


FILE = IndexFile(
    "foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl", "ab" * 32, 5, ">=3.9", "cd" * 32, "2026-01-01T00:00:00Z", ""
)
LINK = IndexFile("foo-0.9.tar.gz", "https://files.example.org/foo-0.9.tar.gz", "ef" * 32, yanked="bad")
SELECTORS = [selector_entry("foo-1.0-wheel-selector.toml", "x = 1\n"), selector_entry("foo-1.0-variants.json", "{}\n")]
FULL = ProjectIndex(
    "foo",
    tracks=("https://h/simple/foo/",),
    needs={"1.0": {"cu128": "a driver for CUDA 12.8 or newer"}},
    removed=("0.1", "foo-0.9-1-py3-none-any.whl"),
    leaving=("foo-0.9-1-py3-none-any.whl",),
    pins={"bar==2; python_version > '3'": ("1.0",)},
    status="deprecated",
    status_reason="use bar",
    public_url="https://h/simple",
    views={"1.0": {"cu128": "https://h/views/cu128", "cu130": ""}},
).updated((FILE, LINK), "1.0", SELECTORS)


def test_a_master_survives_the_way_out_and_in() -> None:
    assert ProjectIndex.parse(FULL.dumps()) == FULL
    assert ProjectIndex.parse(FULL.dumps()).dumps() == FULL.dumps()
    assert FULL.versions == ("0.9", "1.0")


def test_selector_texts_are_entries_under_their_hashes() -> None:
    index = ProjectIndex("foo").updated((FILE, LINK), "1.0", SELECTORS)
    assert index.distributions == (LINK, FILE)
    assert [file.filename for file in index.files[2:]] == ["foo-1.0-variants.json", "foo-1.0-wheel-selector.toml"]
    for file in index.files[2:]:
        assert file.url == f".selectors/{file.sha256[:16]}/{file.filename}"


def test_an_update_counts_a_generation_only_where_something_changes() -> None:
    index = ProjectIndex("foo").updated((FILE,), "1.0", SELECTORS)
    assert index.generation == 1
    assert index.updated((FILE,), "1.0", SELECTORS) is index
    assert index.updated((FILE, LINK), "1.0", SELECTORS).generation == 2


def test_the_list_of_projects_survives_the_way_out_and_in() -> None:
    root = RootIndex(("a", "b"), 3)
    assert RootIndex.parse(root.dumps()) == root
    with pytest.raises(VariantPublishError, match="list of projects"):
        RootIndex.parse("{}")
    for name in ("../x", "Foo", "a/b", "", 3, None):
        with pytest.raises(VariantPublishError, match=r"PEP 691|normalized name"):
            RootIndex.parse(json.dumps({"meta": {}, "projects": [{"name": name}]}))


def test_what_belongs_to_a_version_goes_with_its_last_file() -> None:
    left = FULL.without({FILE.filename}, ["1.0"])
    assert left.generation == FULL.generation + 1
    assert left.files == (LINK,)
    assert (left.selectors, left.needs, left.views, left.pins) == ({}, {}, {}, {})
    assert left.removed == (*FULL.removed, "1.0")
    assert set(left.leaving) == {*FULL.leaving, FILE.filename, *(entry.filename for entry in SELECTORS)}
    assert FULL.without({LINK.filename}, ["0.9"]).needs == FULL.needs
    assert FULL.without((), ()) is FULL


def changed(path: str, value: Any) -> str:
    """Return the full master with the value at a path replaced."""
    data = json.loads(FULL.dumps())
    place: Any = data
    *folders, last = path.split("/")
    for key in folders:
        place = place[int(key) if isinstance(place, list) else key]
    place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "../../evil"),
        ("name", "bar"),
        ("name", "Foo"),
        ("meta/_generation", -1),
        ("meta/_generation", "1"),
        ("meta/_generation", True),
        ("meta/tracks", ["javascript:alert(1)"]),
        ("_public-url", "javascript:alert(1)"),
        ("_public-url", "//evil.example"),
        ("_views/1.0/cu128", "data:text/html,x"),
        ("_views/1.0", {"cu128\n--index-url": ""}),
        ("_selectors/1.0/0", "../../evil.txt"),
        ("_selectors/1.0/0", "foo-2.0-variants.json"),
        ("_needs/1.0", {"a": 1}),
        ("_needs", {"../x": {"a": "b"}}),
        ("_removed/0", "../../x"),
        ("_leaving/0", "../../x"),
        ("_leaving/0", 7),
        ("_pins", {"bar==1": ["x/y"]}),
        ("project-status/status", "gone"),
        ("project-status/reason", "\x1b[2J"),
        ("files/0/filename", "../../evil-1.0-py3-none-any.whl"),
        ("files/0/filename", "bar-1.0-py3-none-any.whl"),
        ("files/0/filename", "index.json"),
        ("files/0/url", "javascript:alert(1)"),
        ("files/0/hashes", {"sha256": "0"}),
        ("files/0/size", -1),
        ("files/2/url", "foo-1.0-py3-none-any.whl"),
        ("files", 3),
        ("_needs", []),
    ],
)
def test_a_master_names_nothing_outside_its_project(path: str, value: object) -> None:
    with pytest.raises(VariantPublishError) as caught:
        ProjectIndex.parse(changed(path, value))
    assert "\n" not in caught.value.message
    assert "\x1b" not in caught.value.message


def test_no_status_or_reason_is_written_that_cannot_be_read() -> None:
    with pytest.raises(VariantPublishError):
        replace(FULL, status_reason="two\nlines")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("a.whl", "foo/a.whl"),
        ("a%2Bb.whl", "foo/a+b.whl"),
        ("../cu128/a.whl", "cu128/a.whl"),
        ("../../outside.whl", None),
        ("%2e%2e/%2e%2e/outside.whl", None),
        ("..", None),
        ("/etc/passwd", None),
        ("https://h/a.whl", None),
    ],
)
def test_only_what_lies_in_the_index_has_a_key(url: str, key: str | None) -> None:
    assert stored_key("foo", url) == key
