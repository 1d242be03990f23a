from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import Metadata

TEXT = (
    b"Metadata-Version: 2.1\nName: Foo\nVersion: 1.0\nSummary: a\n  folded \xc3\xa9\nRequires-Dist: numpy>=1\n"
    b'Requires-Dist: foo[all]; extra == "dev"\nProvides-Extra: dev\n\nName: not a header\n'
)


def test_metadata_without_changes_is_the_same_bytes() -> None:
    assert bytes(Metadata.parse(TEXT)) == TEXT
    assert bytes(Metadata.parse(TEXT.replace(b"\n", b"\r\n"))) == TEXT.replace(b"\n", b"\r\n")


def test_headers_are_read_unfolded() -> None:
    metadata = Metadata.parse(TEXT)
    assert metadata.values("summary") == ("a folded é",)
    assert metadata.requires_dist == ("numpy>=1", 'foo[all]; extra == "dev"')
    assert metadata.requires_python is None


def test_a_rename_reaches_the_name_and_requirements_on_oneself() -> None:
    renamed = Metadata.parse(TEXT).renamed("foo", "bar")
    assert renamed.name == "bar"
    assert renamed.requires_dist[1].startswith("bar[all]")
    assert renamed.body == b"\nName: not a header\n"


def test_requirements_are_added_after_the_others_and_only_once() -> None:
    metadata = Metadata.parse(TEXT).with_requires(add=["scipy", "numpy >= 1", "scipy"])
    assert metadata.requires_dist == ("numpy>=1", 'foo[all]; extra == "dev"', "scipy")
    assert bytes(metadata).index(b"scipy") < bytes(metadata).index(b"Provides-Extra")
    assert metadata.with_requires(add=["scipy"]) == metadata


def test_a_bare_name_removes_every_requirement_on_the_project_and_a_full_one_its_equal() -> None:
    metadata = Metadata.parse(TEXT)
    assert metadata.with_requires(remove=["NumPy"]).requires_dist == ('foo[all]; extra == "dev"',)
    assert metadata.with_requires(remove=["numpy >=1"]).requires_dist == ('foo[all]; extra == "dev"',)
    assert metadata.with_requires(remove=["numpy>=2"]) == metadata


@pytest.mark.parametrize("content", [b"", b"Name: a\n", b"Name: a\nName: b\nVersion: 1\n", b"\nName: a\nVersion: 1\n"])
def test_metadata_without_one_name_and_version_is_refused(content: bytes) -> None:
    with pytest.raises(VariantPublishError, match="METADATA"):
        Metadata.parse(content)
