"""Write a file beside its target and move it there, so that nobody ever sees half of it."""

from __future__ import annotations

import filecmp
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from variant_publish.errors import VariantPublishError


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `target`; on success it is synced and takes the target's place at once."""
    with _beside(target) as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        Path(stream.name).replace(target)


@contextmanager
def creating(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `target`; on success it becomes the target, which must not hold other bytes.

    A target that holds the same bytes already is left alone. Raises VariantPublishError where it holds others. The
    file is not synced: that would cost more than the copy of a large wheel, and a wheel can be made again. Where the
    system has files without a name (Linux), not even a kill leaves anything behind.
    """
    with _nameless(target) or _beside(target) as stream:
        yield stream
        stream.flush()
        if not target.exists():
            try:
                _link(stream, target)
            except FileExistsError:
                pass  # somebody was faster: the comparison below decides
            else:
                return
        if not filecmp.cmp(_place(stream), target, shallow=False):
            raise VariantPublishError(
                f"{target} exists already with other bytes", hint="remove it, or choose another output folder"
            )


def _link(stream: BinaryIO, target: Path) -> None:
    """Return an open file the name `target`; raise FileExistsError where that is taken."""
    try:
        # Without a descriptor of a folder, which is not looked at, the link in /proc itself would get the name.
        os.link(_place(stream), target, src_dir_fd=stream.fileno() if _is_nameless(stream) else None)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if _is_nameless(stream):
            stream.seek(0)
            with replacing(target) as copy:
                shutil.copyfileobj(stream, copy)
        else:
            Path(stream.name).replace(target)


def _is_nameless(stream: BinaryIO) -> bool:
    return isinstance(stream.name, int)


def _place(stream: BinaryIO) -> str:
    return f"/proc/self/fd/{stream.fileno()}" if _is_nameless(stream) else stream.name


def _nameless(target: Path) -> BinaryIO | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        return os.fdopen(os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except (AttributeError, OSError):  # other systems, and file systems that cannot
        return None


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    try:
        with path.open("xb") as stream:
            yield stream
    finally:
        path.unlink(missing_ok=True)
