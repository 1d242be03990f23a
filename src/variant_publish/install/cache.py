"""Where downloaded wheels, and the plain ones made of them, are kept between runs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from variant_publish.archive.retag import Rewrite, retag
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.files import download
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import IndexUnavailable

FOLDER = "variant-publish"
_LAYOUT = "v1"
"""Part of every path: another way of making plain wheels gets a folder of its own."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A wheel that lies here, whole and with the hash that the index lists."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of the cache; every file in it lies under the SHA-256 of what was downloaded."""

    root: Path

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> Self:
        """Return the user's cache: XDG_CACHE_HOME, else the place where the system keeps such things."""
        home = Path.home()
        if environ.get("XDG_CACHE_HOME"):
            return cls(Path(environ["XDG_CACHE_HOME"]) / FOLDER)
        if sys.platform == "win32":
            return cls(Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / FOLDER / "Cache")
        return cls(home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / FOLDER)

    def fetch(self, file: IndexFile, reporter: Reporter = SILENT) -> Fetched:
        """Return the wheel of an index entry, downloaded once.

        Raises IndexUnavailable where it cannot be had or has another hash than the index lists.
        """
        path = local_path(file.url)
        if path is not None:
            return _checked(path, file)
        if not file.sha256:
            raise VariantPublishError(
                f"{redact(file.url)} is listed without a SHA-256, so a download could not be checked",
                hint="ask whoever runs the index to list hashes, or download the wheel and name its folder as --index",
            )
        target = self.root / _LAYOUT / "downloads" / file.sha256 / file.filename
        if not target.exists():
            download(file, target, reporter)
        return _checked(target, file)

    def plain(self, fetched: Fetched, rewrite: Rewrite, reporter: Reporter = SILENT) -> Path:
        """Return the wheel without extra tags and label, which pip and uv install; a plain one as it is.

        Nothing is recompressed. The ABI pins stay in abi-requires.txt; a signature, which no longer fits, goes. What
        `rewrite` changes besides, for one machine, is part of the place in the cache.
        """
        name = WheelName.parse(fetched.path.name)
        if name.dialect is None:
            return fetched.path
        folder = self.root / _LAYOUT / "plain" / fetched.sha256
        if rewrite.remove:
            changes = "\n".join([*rewrite.remove, "", *rewrite.add, "", *map(str, rewrite.pins)])
            folder /= hashlib.sha256(changes.encode()).hexdigest()[:16]
        target = folder / str(name.generic())
        if not target.exists():
            with reporter.track(target.name, fetched.path.stat().st_size) as advance:
                retag(fetched.path, folder, rewrite, advance)
        return target


def _checked(path: Path, file: IndexFile) -> Fetched:
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise IndexUnavailable(file.url, str(error)) from error
    if file.sha256 and digest != file.sha256:
        raise IndexUnavailable(
            file.url,
            f"{path} has another SHA-256 than the index lists",
            hint="remove that file and run the command again",
        )
    return Fetched(path.resolve(), digest)
