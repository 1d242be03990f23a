"""Write a file beside its target and move it there, so that nobody ever sees half of it."""

from __future__ import annotations

import filecmp
import os
import secrets
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
    file is not synced: that would cost more than the copy of a large wheel, and a wheel can be made again.
    """
    with _beside(target) as stream:
        yield stream
        stream.flush()
        if not target.exists():
            try:
                os.link(stream.name, target)
            except FileExistsError:
                pass  # somebody was faster: the comparison below decides
            except OSError:  # a file system without hard links
                Path(stream.name).replace(target)
                return
            else:
                return
        if not filecmp.cmp(stream.name, target, shallow=False):
            raise VariantPublishError(
                f"{target} exists already with other bytes", hint="remove it, or choose another output folder"
            )


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    try:
        with path.open("xb") as stream:
            yield stream
    finally:
        path.unlink(missing_ok=True)
