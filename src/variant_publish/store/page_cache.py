"""Pages of stores as they were last read: asked for by their tag, they are not downloaded again."""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from pathlib import Path

from variant_publish.archive.atomic import replacing
from variant_publish.remote.user_cache import user_cache
from variant_publish.store.objects import Stored

LEAST = 32 * 1024
"""Smaller pages are read as fast as they are asked for."""

_MOST = 256 * 1024 * 1024


class PageCache:
    """Keep the large pages of one store in a folder; what cannot be read or written there is no error."""

    def __init__(self, folder: Path | None, place: str = "") -> None:
        self.folder = folder
        self.place = place

    @classmethod
    def of_user(cls, place: str) -> PageCache:
        """Return the cache of the user for one store."""
        return cls(user_cache(os.environ) / "pages", place)

    def get(self, key: str) -> Stored | None:
        """Return a page as it was last read; None where it is not kept."""
        if self.folder is None:
            return None
        with suppress(OSError, ValueError, zlib.error):
            tag, _, packed = self._path(key).read_bytes().partition(b"\n")
            content = zlib.decompressobj().decompress(packed, _MOST)
            return Stored(content, tag.decode("ascii"))
        return None

    def put(self, key: str, page: Stored) -> None:
        """Keep a page."""
        if self.folder is None or len(page.content) < LEAST or "\n" in page.etag:
            return
        with suppress(OSError, ValueError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(self._path(key)) as stream:
                stream.write(page.etag.encode("ascii") + b"\n" + zlib.compress(page.content, 1))

    def _path(self, key: str) -> Path:
        folder = self.folder or Path()
        return folder / hashlib.sha256(f"{self.place}\n{key}".encode()).hexdigest()


NO_CACHE = PageCache(None)
