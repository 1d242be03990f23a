from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from variant_publish.formats.summary import Summary


@given(st.dictionaries(st.text(), st.binary()), st.none() | st.binary())
def test_any_bytes_survive_in_a_summary(files: dict[str, bytes], record: bytes | None) -> None:
    summary = Summary("foo-1.0-py3-none-any.whl", 1, "b" * 64, files=files, record=record)
    assert Summary.parse(summary.dumps()) == summary
