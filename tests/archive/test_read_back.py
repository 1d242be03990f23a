"""PyPA's reader accepts what retagging writes, and nothing that was changed afterwards."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish import api
from variant_publish.archive.read_back import read_back
from variant_publish.errors import VariantPublishError

NAME = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825", "local"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""


def test_every_dialect_is_read_back(tmp_path: Path) -> None:
    config = api.Config.parse(CONFIG)
    wheel = make_wheel(tmp_path, NAME, files={"foo/data.bin": bytes(300_000)})
    result = api.retag([wheel], tmp_path / "out", api.rewrites(config.variant("cu128"), config))
    assert len(result.done) == 3
    assert all(read_back(done.path) >= 4 for done in result.done)


def test_a_changed_member_is_refused(tmp_path: Path) -> None:
    digest = "A" * 43
    wheel = make_wheel(tmp_path, NAME, files={"foo/a.txt": b"a"}, record=f"foo/a.txt,sha256={digest},1\n".encode())
    with pytest.raises(VariantPublishError, match=r"Hash mismatch for file 'foo/a\.txt'"):
        read_back(wheel)


def test_a_file_without_a_row_in_record_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, NAME, files={"foo/data.txt": b"before"})
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("foo/more.txt", b"more")
    with pytest.raises(VariantPublishError, match=r"No hash found for file 'foo/more.txt'"):
        read_back(wheel)
