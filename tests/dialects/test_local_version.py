from __future__ import annotations

import pytest
from packaging.version import Version

from variant_publish.dialects.local_version import local_of
from variant_publish.errors import UsageError


@pytest.mark.parametrize(
    ("label", "local"),
    [("cu128", "cu128"), ("x86_64_v3", "x86.64.v3"), ("a__b", "a.b"), ("_v3.", "v3"), ("cu.08", "cu.8")],
)
def test_a_label_is_a_normalised_local_version(label: str, local: str) -> None:
    assert local_of(label) == local
    assert Version(f"1.0+{local}").local == local


def test_a_label_of_separators_alone_is_no_local_version() -> None:
    with pytest.raises(UsageError, match="no letter or digit"):
        local_of("_._")
