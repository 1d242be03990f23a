"""Journals and hidden wheels that another program left: nothing outside the wheel is written, and errors are ours."""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
from pathlib import Path

import pytest

from support.fuzz import fuzz
from variant_publish.archive.journal import recover
from variant_publish.errors import VariantPublishError

NAME = "foo-1.0-py3-none-linux_x86_64.whl"
NEW = "foo-1.0-py3-none-linux_x86_64+cu128.whl"


def sealed(order: dict[str, object], tail: bytes = b"new end") -> bytes:
    """Return a journal whose checksum is right, whatever it asks for."""
    text = json.dumps(order).encode()
    return tail + text + struct.pack("<2Q", len(tail), len(text)) + hashlib.sha256(tail + text).digest() + b"VPRETAG1"


@pytest.mark.parametrize("touched", [False, True])
def test_damaged_journals_change_only_their_wheel(tmp_path: Path, touched: bool) -> None:
    bystander = tmp_path / "bystander.whl"
    bystander.write_bytes(b"precious")
    numbers = itertools.count()

    def read(content: bytes) -> None:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        (folder / (f".{NAME}.retagging" if touched else NAME)).write_bytes(b"x" * 100)
        (folder / f".{NAME}.retag-journal").write_bytes(content)
        try:
            recover(folder)
        finally:
            assert bystander.read_bytes() == b"precious"
            names = {path.name for path in folder.iterdir()}
            assert names <= {NAME, NEW, f".{NAME}.retagging", f".{NAME}.retag-journal"}, names

    samples = [sealed({"new": NEW, "cut": 10, "tail": 7}), sealed({"new": NEW, "cut": 0, "tail": 0}, b"")]
    fuzz(read, samples, words=[b"VPRETAG1"])


ORDERS = [
    {"new": "../evil-1.0-py3-none-any.whl", "cut": 0, "tail": 7},
    {"new": "/evil-1.0-py3-none-any.whl", "cut": 0, "tail": 7},
    {"new": NEW, "cut": -1, "tail": 7},
    {"new": NEW, "cut": 1 << 62, "tail": 7},
    {"new": NEW, "cut": 0, "tail": 1 << 62},
    {"new": NEW, "cut": "0", "tail": 7},
    {"new": [], "cut": 0, "tail": 7},
    {"new": NEW, "cut": 0, "tail": 7, "more": 1},
    {"new": NEW, "cut": 0, "tail": -7},
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_journal_with_a_right_checksum_and_a_wrong_order_is_no_journal(
    tmp_path: Path, order: dict[str, object]
) -> None:
    (tmp_path / NAME).write_bytes(b"x" * 100)
    (tmp_path / f".{NAME}.retag-journal").write_bytes(sealed(order))
    assert recover(tmp_path) == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == b"x" * 100


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_wheel_that_was_touched_is_left_alone_by_a_wrong_order(tmp_path: Path, order: dict[str, object]) -> None:
    (tmp_path / f".{NAME}.retagging").write_bytes(b"x" * 100)
    (tmp_path / f".{NAME}.retag-journal").write_bytes(sealed(order))
    with pytest.raises(VariantPublishError, match="is damaged"):
        recover(tmp_path)
    assert (tmp_path / f".{NAME}.retagging").read_bytes() == b"x" * 100
