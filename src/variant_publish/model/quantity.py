"""Quantities as people read them: "1 variant", "12.3 MB"."""

from __future__ import annotations


def readable_size(size: int) -> str:
    """Return a number of bytes for people."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size >= 10**power:
            return f"{size / 10**power:.1f} {unit}"
    return f"{size} B"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 variant", "2 variants"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
