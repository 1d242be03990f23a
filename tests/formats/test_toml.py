from __future__ import annotations

import string
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variant_publish.formats import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.text(string.ascii_letters + "._- '\"\n\x7f", max_size=5)
VALUES = st.recursive(
    TEXT | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_written_is_read_again(table: dict[str, object]) -> None:
    assert toml.loads(toml.dumps(table)) == table


def test_a_time_is_no_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert toml.loads(toml.dumps({"at": moment})) == {"at": moment}


@pytest.mark.parametrize("text", ["a." * 300_000 + "b = 1", "a" + " . a" * 200_000 + " = 1", f"[{'a.' * 300_000}a]"])
def test_a_key_without_end_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="more than 2,000 parts"):
        toml.loads(text)
    assert time.process_time() - start < 1


def test_many_keys_are_written_and_read_in_linear_time() -> None:
    table = {"values": {f"a{number}": "x" for number in range(20_000)} | {"A" * 100_000: "x"}}
    start = time.process_time()
    assert toml.loads(toml.dumps(table)) == table
    assert time.process_time() - start < 3


def test_dots_that_are_no_key_are_read() -> None:
    assert len(toml.loads(f"a = [{', '.join(['1.5'] * 3_000)}]")["a"]) == 3_000
