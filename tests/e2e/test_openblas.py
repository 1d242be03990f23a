"""The example of the page on ABI pins, built here against numpy as PyPI serves it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from support.pages import Reader, blocks
from support.real_wheels import wheel_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "abi-pins.md"


@pytest.mark.slow
@pytest.mark.package_index
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="the page is for gcc on Linux")
def test_the_pin_on_the_openblas_of_numpy_is_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_of("numpy==2.0.0", python="3.11")
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, Path(sys.prefix))
    found = blocks(PAGE)
    start = next(number for number, block in enumerate(found) if block.language == "c")
    outputs = ""
    for block in found[start:]:
        if block.language in ("c", "python", "toml"):
            reader.one(block)
        elif block.language == "sh":
            for line in block.text.splitlines():
                reader.command(line)
                outputs += reader.output
        else:
            for line in block.text.splitlines():
                assert line in outputs, outputs
