from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, fatbin
from support.checks import LINUX
from support.fuzz import fuzz
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.zipraw import open_archive
from variant_publish.binary.scan import scan
from variant_publish.providers.catalog import BUILTIN

NAME = f"foo-1.0-cp312-cp312-{LINUX}.whl"


@pytest.fixture
def samples(tmp_path: Path) -> list[bytes]:
    """Two wheels: one with libraries and device code, one with Python files only."""
    one = make_wheel(tmp_path / "one", NAME, files={"foo/a.so": elf(imports=["x"], extra=fatbin((90, "", True)))})
    two = make_wheel(tmp_path / "two", NAME, files={f"foo/{number}.py": b"x = 1\n" * 9 for number in range(9)})
    return [one.read_bytes(), two.read_bytes()]


def test_damaged_archives_are_read_or_refused(tmp_path: Path, samples: list[bytes]) -> None:
    path = tmp_path / NAME

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with open_archive(path) as archive:
            archive.ends()
        scan(WholeWheel.read(path), BUILTIN)

    words = [
        b"PK\3\4",
        b"PK\1\2",
        b"PK\5\6",
        b"PK\6\6",
        b"PK\6\7",
        b"\1\0\20\0" + b"\xff" * 16,
        b"foo-1.0.dist-info/RECORD",
    ]
    assert fuzz(read, samples, words=words)
