"""Wheels and declarations for the tests of rules on the matrix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from support.checks import LINUX, WINDOWS
from support.wheels import make_wheel

MATRIX = f"""
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]

[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
"""


SKIP = '[[tool.variant-publish.matrix.skip]]\npython = "cp312-cp312"\nplatform = "{}"\nreason = "no toolchain"\n'


OLD, NEW = "cp311-cp311", "cp312-cp312"


def wheels(folder: Path, *parts: str) -> None:
    for part in parts:
        make_wheel(folder, f"foo-1.0-{part}.whl")


def product(pythons: Iterable[str], platforms: Iterable[str]) -> list[str]:
    return [f"{python}-{platform}" for python in pythons for platform in platforms]


COMPLETE = [*product([OLD, NEW], [LINUX, WINDOWS]), *product([OLD, NEW], [f"{LINUX}+cu128"])]


ZIPPED = (
    MATRIX
    + f"""
[[tool.variant-publish.matrix.zip]]
python = ["{OLD}", "{NEW}"]
variant = ["generic", "cu128"]
"""
)
