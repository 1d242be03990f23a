"""Versions in text of strangers: `packaging` raises more than InvalidVersion for some of it."""

from __future__ import annotations

from packaging.version import Version

_LONGEST = 200
"""Python reads no integer of more than 4,300 digits, and no project has such a version."""


def version_or_none(text: str) -> Version | None:
    """Return the version that the text is; None where it is none (PEP 440), or is longer than any version is."""
    if len(text) > _LONGEST:
        return None
    try:
        return Version(text)
    except ValueError:
        return None
