from __future__ import annotations

import pytest

from variant_publish.formats.simple import IndexFile, version_of


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


FILE = IndexFile(
    "foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl", "ab" * 32, 5, ">=3.9", "cd" * 32, "2026-01-01T00:00:00Z", ""
)
LINK = IndexFile("foo-0.9.tar.gz", "https://files.example.org/foo-0.9.tar.gz", "ef" * 32, yanked="bad")


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


def test_a_file_is_hosted_where_its_page_is() -> None:
    assert FILE.is_hosted
    assert not LINK.is_hosted
