"""Sizes as people read them."""

from __future__ import annotations


def readable_size(size: int) -> str:
    """Write a number of bytes for people."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size >= 10**power:
            return f"{size / 10**power:.1f} {unit}"
    return f"{size} B"
