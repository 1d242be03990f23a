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


def release_prefixes(version: str) -> tuple[str, ...]:
    """Return the release prefixes of a version, longest first: 2.9.1, 2.9 and 2 (PEP 850, "abi_dependency")."""
    parts = version.split("+")[0].split(".")
    return tuple(".".join(parts[:count]) for count in range(min(len(parts), 3), 0, -1))
