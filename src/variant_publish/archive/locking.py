"""Lock an open file against other processes, without waiting; the lock goes with the file descriptor."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FAR = 1 << 40
"""Windows refuses reads of locked bytes, so the lock lies where no file has any."""


def try_lock(descriptor: int) -> bool:
    """Lock the file for this process; False where another one has it."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        import msvcrt

        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
    except (BlockingIOError, PermissionError):
        return False
    return True
