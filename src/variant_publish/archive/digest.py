"""`NAME.whl.sha256`: the hash of a wheel, kept beside it, so that a file of many gigabytes is read once, not twice.

It is JSON, with the size and the time of change that the wheel had; it counts only while both are still so.
"""

from __future__ import annotations

import json
from pathlib import Path

from variant_publish.archive.atomic import replacing

SUFFIX = ".sha256"


def write_digest(wheel: Path, sha256: str) -> Path:
    """Write the digest of a wheel beside it and give the place."""
    path = wheel.with_name(wheel.name + SUFFIX)
    state = wheel.stat()
    table = {"schema": 1, "sha256": sha256, "size": state.st_size, "mtime_ns": state.st_mtime_ns}
    with replacing(path) as stream:
        stream.write(f"{json.dumps(table)}\n".encode())
    return path


def read_digest(wheel: Path) -> str | None:
    """Return the digest that lies beside a wheel; None where there is none, or none of these bytes.

    Who uploads still hashes what is sent: a digest that lies is found there.
    """
    try:
        table = json.loads(wheel.with_name(wheel.name + SUFFIX).read_bytes())
        state = wheel.stat()
    except (OSError, ValueError):
        return None
    if not isinstance(table, dict) or table.get("schema") != 1:
        return None
    if (table.get("size"), table.get("mtime_ns")) != (state.st_size, state.st_mtime_ns):
        return None
    sha256 = table.get("sha256")
    is_hash = isinstance(sha256, str) and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
    return sha256 if is_hash else None
