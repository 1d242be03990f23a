"""Wheels with ABI pins."""

from __future__ import annotations

from pathlib import Path

from support.checks import PLUS
from support.wheels import make_wheel

PIN = "numpy+pypi==2.0.0"


DECLARED = f'[tool.variant-publish.abi]\nrequires = ["{PIN}"]\n'


def pinned(folder: Path, filename: str, *pins: str) -> None:
    """Write a wheel with its pins where they belong."""
    if filename == PLUS:
        make_wheel(folder, filename, requires=pins)
        return
    plain = [pin.replace("+pypi", "") for pin in pins]
    make_wheel(folder, filename, requires=plain, extra_info={"abi-requires.txt": "\n".join(pins).encode()})
