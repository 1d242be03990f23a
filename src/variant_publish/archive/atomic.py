"""Write a file beside its target and move it there, so that nobody ever sees half of it."""

from __future__ import annotations

import filecmp
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from variant_publish.errors import VariantPublishError

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.3)
"""Seconds between tries to replace a file that another process has open."""


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `target`; on success it is synced and takes the target's place at once."""
    with _beside(target) as path:
        with path.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _move(path, target)  # closed before: Windows renames no open file


@contextmanager
def creating(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `target`; on success it becomes the target, which must not hold other bytes.

    A target that holds the same bytes already is left alone. Raises VariantPublishError where it holds others. The
    file is not synced: that would cost more than the copy of a large wheel, and a wheel can be made again. Where the
    system has files without a name (Linux), not even a kill leaves anything behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    nameless = _nameless(target.parent)
    if nameless is not None:
        with nameless as stream:
            yield stream
            stream.flush()
            _settle(f"/proc/self/fd/{stream.fileno()}", target, _link_nameless)
        return
    with _beside(target) as path:
        with path.open("xb") as stream:
            yield stream
        _settle(str(path), target, _link_named)


def _move(path: Path, target: Path) -> None:
    """Rename a file over another one; on Windows that waits for whoever reads the other one just now."""
    for pause in _PAUSES:
        try:
            path.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    path.replace(target)


def _settle(place: str, target: Path, link: Callable[[str, Path], None]) -> None:
    """Name a finished file `target`, or compare it with the file that has the name."""
    if not target.exists():
        try:
            link(place, target)
        except FileExistsError:
            pass  # another process was faster: the comparison below decides
        else:
            return
    if not filecmp.cmp(place, target, shallow=False):
        raise VariantPublishError(
            f"{target} exists already with other bytes", hint="remove it, or choose another output folder"
        )


def _link_nameless(place: str, target: Path) -> None:
    try:
        # Any folder's descriptor makes os.link follow the link in /proc; an absolute path ignores which one.
        os.link(place, target, src_dir_fd=int(place.rpartition("/")[2]))
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        import shutil

        with Path(place).open("rb") as source, replacing(target) as copy:
            shutil.copyfileobj(source, copy)


def _link_named(place: str, target: Path) -> None:
    try:
        os.link(place, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links; Windows raises FileExistsError where the name is taken
        Path(place).rename(target)


def _nameless(folder: Path) -> BinaryIO | None:
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except (AttributeError, OSError):  # other systems, and file systems that cannot
        return None


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a name beside `target` that nothing has, and remove what is left there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.parent / f".{target.name[:100]}.{os.urandom(4).hex()}.part"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
