from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.archives import assert_gap_free, contents
from support.odd_wheels import NAME, PAYLOAD, files_of, zipped
from variant_publish.archive.retag import Rewrite, retag
from variant_publish.archive.transfer import Sink, read_exactly
from variant_publish.dialects.plus import PLUS

TAGGED = Rewrite(PLUS, ("cu128",))
BIG = os.urandom(6 << 20)


def ignore(count: int) -> None:
    pass


@contextmanager
def opened(path: Path, content: bytes | None = None) -> Iterator[int]:
    if content is not None:
        path.write_bytes(content)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("hashed", [False, True])
def test_pieces_of_every_size_arrive_in_their_order(tmp_path: Path, hashed: bool) -> None:
    digest = hashlib.sha256() if hashed else None
    told: list[int] = []
    with opened(tmp_path / "a", BIG) as source, opened(tmp_path / "b") as target:
        sink = Sink(target, digest=digest)
        for offset, length in ((0, 3), (5, 70_000), (9, 5 << 20), (1, 0), (100, 200)):
            sink.write(b"-")
            sink.copy(source, offset, length, told.append, b"+")
        sink.flush()
    want = b"".join(b"-+" + BIG[o : o + n] for o, n in ((0, 3), (5, 70_000), (9, 5 << 20), (1, 0), (100, 200)))
    assert (tmp_path / "b").read_bytes() == want
    assert sink.position == len(want)
    assert sum(told) == len(want) - 10
    assert digest is None or digest.digest() == hashlib.sha256(want).digest()


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="the system knows no holes")
@pytest.mark.parametrize("hashed", [False, True])
def test_holes_stay_holes(tmp_path: Path, hashed: bool) -> None:
    digest = hashlib.sha256() if hashed else None
    with opened(tmp_path / "a", b"begin") as source, opened(tmp_path / "b") as target:
        os.pwrite(source, b"middle", 50 << 20)
        os.ftruncate(source, 100 << 20)
        sink = Sink(target, digest=digest)
        sink.copy(source, 0, 100 << 20, ignore)
        sink.write(b"end")
        sink.flush()
    content = (tmp_path / "b").read_bytes()
    assert content == (tmp_path / "a").read_bytes() + b"end"
    assert (tmp_path / "b").stat().st_blocks * 512 < 1 << 20
    assert digest is None or digest.digest() == hashlib.sha256(content).digest()


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path / "a", b"short") as source, pytest.raises(OSError, match="shorter"):
        read_exactly(source, 0, 10)


def test_three_thousand_members_are_not_as_many_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / NAME
    names = {f"foo/{number}.h": b"#pragma once\n" * (number % 60) for number in range(3_000)}
    path.write_bytes(zipped(files_of({**names, "foo/big": BIG}), method=zipfile.ZIP_STORED))
    calls = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            nonlocal calls
            calls += 1
            return real(*args)

        return call

    for name in ("pread", "write", "read", "copy_file_range", "sendfile", "lseek"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, counted(getattr(os, name)))
    result = retag(path, tmp_path / "out", TAGGED).path
    monkeypatch.undo()
    assert calls < (300 if hasattr(os, "pread") else 600)  # where there is none, each read seeks first
    assert contents(result).keys() == contents(path).keys()


@pytest.mark.parametrize("first", ["tiny", "far"])
def test_a_long_run_that_moves_keeps_its_place_within_the_pages(tmp_path: Path, first: str) -> None:
    payload = {"foo/a": b"a" * (10 if first == "tiny" else 5_000), "foo/big": BIG, **PAYLOAD}
    path = tmp_path / NAME
    path.write_bytes(zipped(files_of(payload, first=True), method=zipfile.ZIP_STORED))
    result = retag(path, tmp_path / "out", TAGGED).path
    assert_gap_free(result)
    assert contents(result).items() >= payload.items()
    assert (result.read_bytes().index(BIG) - path.read_bytes().index(BIG)) % 4096 == 0
    again = retag(result, tmp_path / "again", Rewrite()).path
    assert contents(again).items() >= payload.items()


def test_without_pread_nothing_moves_the_position_of_a_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where a caller that reads shares one position with one that copies."""
    seek = os.lseek

    def slow_seek(descriptor: int, offset: int, how: int) -> int:
        place = seek(descriptor, offset, how)
        time.sleep(0.001)
        return place

    path = tmp_path / NAME
    path.write_bytes(zipped(files_of({**PAYLOAD, "foo/big": BIG}, first=True), method=zipfile.ZIP_STORED))
    for name in ("pread", "copy_file_range", "sendfile"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "lseek", slow_seek)
    assert contents(retag(path, tmp_path / "out", TAGGED).path)["foo/big"] == BIG
