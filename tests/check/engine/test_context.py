from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import PLAIN, release_in
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.remote.transport import IndexUnavailable


def test_an_index_is_asked_once_for_a_project(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    context = Context(release_in(tmp_path / "dist"))
    index = listing(tmp_path / "index", "bar")
    first = context.listing(index, "Bar")
    (tmp_path / "index" / "bar" / "index.json").unlink()
    assert context.listing(index, "bar") is first


def test_an_index_that_did_not_answer_is_not_asked_again(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    context = Context(release_in(tmp_path / "dist"))
    index = str(tmp_path / "index")
    with pytest.raises(IndexUnavailable):
        context.listing(index, "bar")
    listing(tmp_path / "index", "baz")
    with pytest.raises(IndexUnavailable):
        context.listing(index, "baz")
