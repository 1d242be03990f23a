from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules import content
from variant_publish.check.rules.content import NoBomb

ZEROS = {"foo/tables.bin": bytes(300_000)}


def test_small_archives_may_be_as_dense_as_they_like(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=ZEROS)
    assert verdicts(NoBomb(), tmp_path) == {"pass": 1}


def test_large_ones_that_are_nearly_all_zeros_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "BOMB_SIZE", 200_000)  # 64 MiB of zeros would only take time
    make_wheel(tmp_path, PLAIN, files=ZEROS)
    (message,) = failures(NoBomb(), tmp_path)
    assert message.startswith("it unpacks to 0 MB, ")
    assert message.endswith("times its own size; the largest member is foo/tables.bin")
