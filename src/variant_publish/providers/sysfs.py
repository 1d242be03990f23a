"""What the Linux kernel shows of devices in /sys; nothing raises, what cannot be read is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = "VARIANT_PUBLISH_SYSFS"
"""The environment variable that names a tree in place of /sys, for containers that have it elsewhere, and tests."""

_LONGEST = 64 * 1024
_MOST = 4096


def texts(environ: Mapping[str, str], pattern: str) -> Iterator[str]:
    """Return the contents of the files below /sys that match a pattern, in the order of their paths."""
    root = Path(environ.get(ROOT) or "/sys")
    for number, path in enumerate(sorted(root.glob(pattern))):
        if number >= _MOST:
            return
        if (text := read(path)) is not None:
            yield text


def read(path: Path) -> str | None:
    """Return the text of a small file, without the white space around it; None where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LONGEST).decode("utf-8", "replace").strip()
    except OSError:
        return None
