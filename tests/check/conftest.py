from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import PLAIN
from support.selector_files import LABELLED_V3, PLUS_V3, metadata_of, written
from support.wheels import make_wheel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a complete release in both dialects and its selector files."""
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS_V3)
    make_wheel(tmp_path, LABELLED_V3, variant=metadata_of())
    written(tmp_path)
    return tmp_path
