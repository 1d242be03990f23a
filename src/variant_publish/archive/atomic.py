"""Write a file beside its target and move it there, so that nobody ever sees half of it."""

from __future__ import annotations

import filecmp
import os
import tempfile
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
        _settle(stream)
        Path(stream.name).replace(target)


@contextmanager
def creating(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `target`; on success it becomes the target, which must not hold other bytes.

    A target that holds the same bytes already is left alone. Raises VariantPublishError where it holds others.
    """
    with _beside(target) as stream:
        yield stream
        _settle(stream)
        try:
            os.link(stream.name, target)
        except FileExistsError:
            if not filecmp.cmp(stream.name, target, shallow=False):
                raise VariantPublishError(
                    f"{target} exists already with other bytes", hint="remove it, or choose another output folder"
                ) from None
        except OSError:  # a file system without hard links
            if target.exists() and not filecmp.cmp(stream.name, target, shallow=False):
                raise VariantPublishError(
                    f"{target} exists already with other bytes", hint="remove it, or choose another output folder"
                ) from None
            Path(stream.name).replace(target)


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    os.close(descriptor)
    try:
        with Path(name).open("r+b") as stream:
            yield stream
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    Path(stream.name).chmod(0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
