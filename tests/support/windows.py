"""A pytest plug-in that makes Linux behave as Windows where that matters: `pytest -p support.windows`.

The calls that only Linux or POSIX has are gone, links need a right that nobody has, and a file that is open is neither
renamed nor removed. What stays is the file system: names with a colon, and case.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

_GONE = (
    "O_TMPFILE", "O_NOFOLLOW", "SEEK_HOLE", "SEEK_DATA", "copy_file_range", "fork", "geteuid", "chown", "mkfifo",
    "pread", "preadv", "pwrite", "sendfile", "setsid", "killpg", "getpgid",
)  # fmt: skip


def pytest_configure() -> None:
    """Take the calls away before any test module is imported."""
    with suppress(ImportError):
        import filelock  # noqa: F401  (it has code of its own for Windows, chosen by sys.platform)
    locking = _msvcrt()
    for name in _GONE:
        if hasattr(os, name):
            delattr(os, name)
    shutil._USE_CP_SENDFILE = False  # type: ignore[attr-defined]
    tempfile._O_TMPFILE_WORKS = False  # type: ignore[attr-defined]
    sys.modules["fcntl"] = None  # type: ignore[assignment]  # importing it raises ImportError
    sys.modules["resource"] = None  # type: ignore[assignment]
    sys.modules["msvcrt"] = locking
    for name in ("rename", "replace"):
        setattr(os, name, _refusing(getattr(os, name), both=True))
    for name in ("unlink", "remove"):
        setattr(os, name, _refusing(getattr(os, name), both=False))
    setattr(os, "symlink", _no_right)  # noqa: B010  (mypy holds the signature of an assignment)
    os.rename = _no_overwrite(os.rename)


def _msvcrt() -> ModuleType:
    """Return the locking of Windows, made of what POSIX has."""
    import fcntl

    def locking(descriptor: int, mode: int, count: int) -> None:
        command = fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB
        try:
            fcntl.flock(descriptor, command)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error

    module = ModuleType("msvcrt")
    module.__dict__.update(locking=locking, LK_UNLCK=0, LK_LOCK=1, LK_NBLCK=2)
    return module


def _is_open(path: Any) -> bool:
    try:
        wanted = os.lstat(path)
    except OSError:
        return False
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (pathlib would use what is patched here)
        try:
            if os.path.samestat(os.fstat(int(name)), wanted):
                return True
        except OSError:
            continue  # the descriptor of the listing itself
    return False


def _refusing(real: Callable[..., Any], *, both: bool) -> Callable[..., Any]:
    def call(path: Any, *args: Any, **options: Any) -> Any:
        if sys._getframe(1).f_globals.get("__name__") == "tempfile":
            return real(path, *args, **options)  # on Windows it has another way to have no name
        for one in (path, *args[:1]) if both else (path,):
            if not isinstance(one, int) and options.get("dir_fd") is None and _is_open(one):
                raise PermissionError(errno.EACCES, "The process cannot access the file: it is in use", os.fspath(one))
        return real(path, *args, **options)

    return call


def _no_overwrite(real: Callable[..., Any]) -> Callable[..., Any]:
    def rename(source: Any, target: Any, **options: Any) -> Any:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", str(target))
        return real(source, target, **options)

    return rename


def _no_right(source: Any, target: Any, *_: Any, **__: Any) -> None:
    raise OSError(errno.EPERM, "A required privilege is not held by the client", str(Path(target)))
