from __future__ import annotations

from pathlib import Path

import pytest

from variant_publish.archive.atomic import creating, replacing
from variant_publish.errors import VariantPublishError


def write_half(target: Path) -> None:
    with creating(target) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a" / "file"
    with pytest.raises(RuntimeError):
        write_half(target)
    assert list(target.parent.iterdir()) == []
    with creating(target) as stream:
        stream.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


def test_equal_bytes_leave_the_old_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    before = target.stat()
    with creating(target) as stream:
        stream.write(b"old")
    assert target.stat().st_ino == before.st_ino
    with pytest.raises(VariantPublishError, match="exists already with other bytes"), creating(target) as stream:
        stream.write(b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_replacing_swaps_the_content(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with replacing(target) as stream:
        stream.write(b"new")
    assert target.read_bytes() == b"new"
