"""One variant in every dialect."""

from __future__ import annotations

from pathlib import Path

from support.checks import LINUX
from support.wheels import make_wheel

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = PLAIN.replace(".whl", "+cu128.whl")
LABEL = PLAIN.replace(".whl", "-cu128.whl")
LOCAL = PLAIN.replace("1.0", "1.0+cu128")
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825", "local"]
[tool.variant-publish.variants.cu128]
"""
FILES = {"foo/a.py": b"1", "foo/b.so": b"2"}


def make(folder: Path, name: str, files: dict[str, bytes] = FILES) -> Path:
    """Write a wheel with the files, and one in its .data folder, whose name has the version in it."""
    version = name.split("-")[1]
    return make_wheel(folder, name, files={**files, f"foo-{version}.data/data/x": b"3"}, extra_info={"LICENSE": b"4"})
