from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

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


CUT_OFF = """
import os, signal, sys
from pathlib import Path
from variant_publish.archive.atomic import creating
with creating(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files without a name")
def test_a_kill_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CUT_OFF, str(tmp_path / "file")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def fail(*_: object, **__: object) -> NoReturn:
    raise PermissionError("Operation not permitted")


@pytest.mark.parametrize("nameless", [True, False])
def test_a_file_system_without_links_gets_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    if not nameless:
        monkeypatch.delattr("os.O_TMPFILE", raising=False)
    monkeypatch.setattr("os.link", fail)
    target = tmp_path / "file"
    with creating(target) as stream:
        stream.write(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
