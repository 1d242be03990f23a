from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import ProjectIndex, version_of


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
