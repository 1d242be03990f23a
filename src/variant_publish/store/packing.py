"""Pages are stored compressed: all who read pages take gzip, few ask for what it is."""

from __future__ import annotations

import gzip
import zlib

MAGIC = b"\x1f\x8b"
"""What compressed pages begin with, and no page does."""

_SMALL = 1000
"""Bytes of a page that is not worth compressing."""

_LEVEL = 8
"""Of compression: the higher ones cost more time and save nothing."""

_LARGEST = 512 * 1024 * 1024


def packed(page: bytes) -> bytes | None:
    """Return a page compressed; None where that is not worth it. Equal pages give equal bytes."""
    return gzip.compress(page, _LEVEL, mtime=0) if len(page) > _SMALL else None


def unpacked(content: bytes) -> bytes | None:
    """Return what a compressed page holds; None where it is not whole, or unpacks to more than any page has."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        result = stream.decompress(content, _LARGEST)
    except zlib.error:
        return None
    return result if stream.eof else None
