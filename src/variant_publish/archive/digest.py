"""`NAME.whl.sha256`: the hash of a wheel, kept beside it, so that a file of many gigabytes is read once, not twice.

It is JSON, with the size and the time of change that the wheel had; it counts only while both are still so.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.formats.typed import prepared

SUFFIX = ".sha256"


class _Digest(msgspec.Struct, frozen=True):
    schema: Literal[1]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    size: int
    mtime_ns: int


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_digest(wheel: Path, sha256: str) -> str:
    """Write the digest of a wheel beside it, and return it."""
    state = wheel.stat()
    with replacing(wheel.with_name(wheel.name + SUFFIX)) as stream:
        stream.write(msgspec.json.encode(_Digest(1, sha256, state.st_size, state.st_mtime_ns)) + b"\n")
    return sha256


def read_digest(wheel: Path) -> str | None:
    """Return the digest that lies beside a wheel; None where there is none, or none of these bytes.

    Who uploads still hashes what is sent: a digest that lies is found there.
    """
    try:
        found = msgspec.json.decode(wheel.with_name(wheel.name + SUFFIX).read_bytes(), type=prepared(_Digest))
        state = wheel.stat()
    except (OSError, msgspec.DecodeError):
        return None
    return found.sha256 if (found.size, found.mtime_ns) == (state.st_size, state.st_mtime_ns) else None
