from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish.archive.digest import read_digest, write_digest
from variant_publish.archive.retag import Rewrite, retag, retag_in_place
from variant_publish.archive.wheel import WholeWheel
from variant_publish.dialects.plus import PLUS

NAME = "foo-1.0-py3-none-any.whl"
TAGGED = Rewrite(PLUS, ("cu128",))


@pytest.mark.parametrize("in_place", [False, True])
def test_retag_keeps_the_hash_of_what_it_wrote(tmp_path: Path, in_place: bool) -> None:
    source = make_wheel(tmp_path, NAME, files={"foo.bin": os.urandom(3_000_000), "foo.py": b""})
    write_digest(source, "0" * 64)
    result = (
        retag_in_place(source, TAGGED, digest=True) if in_place else retag(source, tmp_path / "o", TAGGED, digest=True)
    )
    assert result.sha256 == read_digest(result.path) == hashlib.sha256(result.path.read_bytes()).hexdigest()
    assert source.with_name(NAME + ".sha256").exists() is not in_place


def test_a_hash_that_is_known_is_not_computed_again(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    write_digest(source, "a" * 64)
    assert WholeWheel.read(source).sha256 == "a" * 64


def test_a_hash_counts_only_while_size_and_time_are_the_same(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    write_digest(source, "a" * 64)
    os.utime(source, ns=(1, source.stat().st_mtime_ns + 1))
    assert WholeWheel.read(source).sha256 == right


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"sha256": "A" * 64}, {"sha256": "a" * 64 + "\n"}, {"sha256": 3}, {"size": 1}, {"mtime_ns": None}],
)
def test_a_digest_of_another_kind_is_no_digest(tmp_path: Path, change: dict[str, object]) -> None:
    source = make_wheel(tmp_path, NAME)
    write_digest(source, "a" * 64)
    path = source.with_name(NAME + ".sha256")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read_digest(source) is None
    path.write_text("[")
    assert read_digest(source) is None
