from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variant_publish.formats.toml import dumps

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
PLAIN = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), TEXT)
VALUE = st.recursive(
    st.one_of(PLAIN, st.lists(PLAIN, max_size=3)),
    lambda inner: st.one_of(
        st.dictionaries(TEXT, inner, max_size=3), st.lists(st.dictionaries(TEXT, inner, max_size=2), max_size=2)
    ),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert tomllib.loads(dumps(data)) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"b": 1, "a": {"x": ["y"]}}, 'b = 1\n\n[a]\nx = ["y"]\n'),
        ({"a": {"b": {"c": True}}}, "[a.b]\nc = true\n"),
        ({"p": [{"n": "x"}, {"n": "y", "t": {"k k": 1}}]},
         '[[p]]\nn = "x"\n\n[[p]]\nn = "y"\n\n[p.t]\n"k k" = 1\n'),
        ({"a": {}}, "[a]\n"),
    ],
)  # fmt: skip
def test_it_looks_as_people_write_it(data: dict[str, Any], text: str) -> None:
    assert dumps(data) == text
