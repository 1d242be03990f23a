from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, ProjectIndex, RootIndex, version_of


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo-1.0-py3-none-any.whl", "1.0"),
        ("foo-1.0-py3-none-any+cu128.whl", "1.0"),
        ("foo-1.0+cu128-py3-none-any-label.whl", "1.0+cu128"),
        ("foo-1.0.tar.gz", "1.0"),
        ("foo-1.0-variants.json", None),
        ("foo.whl", None),
    ],
)
def test_the_version_is_in_the_file_name(filename: str, version: str | None) -> None:
    assert version_of(filename) == version


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": 1}'])
def test_what_is_no_master_is_refused(content: str) -> None:
    with pytest.raises(VariantPublishError, match="PEP 691"):
        ProjectIndex.parse(content)


FILE = IndexFile(
    "foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl", "ab" * 32, 5, ">=3.9", "cd" * 32, "2026-01-01T00:00:00Z", ""
)
LINK = IndexFile("foo-0.9.tar.gz", "https://files.example.org/foo-0.9.tar.gz", "ef" * 32, yanked="bad")
TEXTS = {"1.0": {"foo-1.0-wheel-selector.toml": "x = 1\n", "foo-1.0-variants.json": "{}\n"}}


def test_a_master_survives_the_way_out_and_in() -> None:
    index = ProjectIndex("foo", tracks=("https://h/simple/foo/",)).updated((FILE, LINK), TEXTS)
    assert ProjectIndex.parse(index.dumps()) == index
    assert ProjectIndex.parse(index.dumps()).dumps() == index.dumps()
    assert index.versions == ("0.9", "1.0")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, None),
        ({"core-metadata": False, "data-dist-info-metadata": True}, None),
        ({"core-metadata": True}, "https://h/a.whl.metadata"),
        ({"core-metadata": {"sha256": "ab" * 32}}, "https://h/a.whl.metadata"),
        ({"dist-info-metadata": True}, "https://h/a.whl.metadata"),
        ({"core-metadata": {"sha512": "ab"}}, "https://h/a.whl.metadata"),
        ({"data-dist-info-metadata": {"sha256": "ab" * 32}}, "https://h/a.whl.metadata"),
    ],
)
def test_a_file_says_where_its_metadata_is(keys: dict[str, object], expected: str | None) -> None:
    file = IndexFile.parse({"filename": "a.whl", "url": "https://h/a.whl", **keys})
    assert file.metadata_url == expected
    assert IndexFile.parse(file.table()) == file


def test_selector_texts_are_entries_under_their_hashes() -> None:
    index = ProjectIndex("foo").updated((FILE, LINK), TEXTS)
    assert index.distributions == (LINK, FILE)
    assert [file.filename for file in index.files[2:]] == ["foo-1.0-variants.json", "foo-1.0-wheel-selector.toml"]
    for file in index.files[2:]:
        assert file.url == f".selectors/{file.sha256[:16]}/{file.filename}"


def test_an_update_counts_a_generation_only_where_something_changes() -> None:
    index = ProjectIndex("foo").updated((FILE,), TEXTS)
    assert index.generation == 1
    assert index.updated((FILE,), TEXTS) is index
    assert index.updated((FILE, LINK), TEXTS).generation == 2


def test_a_file_is_hosted_where_its_page_is() -> None:
    assert FILE.is_hosted
    assert not LINK.is_hosted


def test_the_list_of_projects_survives_the_way_out_and_in() -> None:
    root = RootIndex(("a", "b"), 3)
    assert RootIndex.parse(root.dumps()) == root
    with pytest.raises(VariantPublishError, match="list of projects"):
        RootIndex.parse("{}")
