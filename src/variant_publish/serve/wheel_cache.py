"""Where downloaded wheels, and the plain ones made of them, are kept between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.archive.digest import sha256_of
from variant_publish.archive.retag import Rewrite, retag
from variant_publish.archive.wheel import WholeWheel
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.archive import metadata_of, outline
from variant_publish.remote.files import download
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import IndexUnavailable, Transport
from variant_publish.remote.user_cache import user_cache

_LAYOUT = "v1"
"""Part of every path: another way of making plain wheels gets a folder of its own."""


class FetchedWheel(msgspec.Struct, frozen=True):
    """A wheel that lies here, whole and with the hash that the index lists."""

    path: Path
    sha256: str


class WheelCache(msgspec.Struct, frozen=True):
    """The folder of the cache; every file in it lies under the SHA-256 of what was downloaded.

    `transport` keeps connections to the indexes.
    """

    root: Path
    transport: Transport = msgspec.field(default_factory=Transport)

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> Self:
        """Return the user's cache."""
        return cls(user_cache(environ))

    def fetch(self, file: IndexFile, reporter: Reporter = SILENT) -> FetchedWheel:
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
            download(file, target, reporter, self.transport)
        return _checked(target, file)

    def metadata(self, file: IndexFile) -> bytes:
        """Return the METADATA of a listed wheel: as the index serves it (PEP 658), else from the wheel."""
        content = metadata_of(file, self.transport)
        return content if content is not None else bytes(WholeWheel.read(self.fetch(file).path).metadata)

    def pins(self, file: IndexFile) -> tuple[TaggedRequirement, ...]:
        """Return the ABI pins of a listed wheel; nothing but its dist-info is read, if the server has ranges."""
        path = local_path(file.url)
        if path is None:
            found = outline(file, self.transport)
            if found is not None:
                return found.pins
        return WholeWheel.read(path or self.fetch(file).path).pins

    def sha256(self, file: IndexFile) -> str:
        """Return the hash of a listed wheel: as listed, else of its bytes."""
        return file.sha256 or self.fetch(file).sha256

    def made(self, fetched: FetchedWheel, rewrite: Rewrite, reporter: Reporter = SILENT) -> Path:
        """Return the rewritten wheel, which pip and uv install; a plain one as it is.

        Nothing is recompressed. The ABI pins stay in abi-requires.txt; a signature, which no longer fits, goes. What
        `rewrite` changes is part of the place in the cache, and a wheel that is there is hashed again.
        """
        target_name = rewrite.name_of(WheelName.parse(fetched.path.name))
        if str(target_name) == fetched.path.name:
            return fetched.path
        changes = "\n".join([*rewrite.remove, "", *rewrite.add, "", *map(str, rewrite.pins)])
        folder = self.root / _LAYOUT / "plain" / fetched.sha256 / hashlib.sha256(changes.encode()).hexdigest()[:16]
        target = folder / str(target_name)
        digest = folder / f"{target_name}.sha256"
        if target.exists() and not _is_whole(target, digest):
            target.unlink()
        if not target.exists():
            with reporter.track(target.name, fetched.path.stat().st_size) as advance:
                retag(fetched.path, folder, rewrite, advance)
            with replacing(digest) as stream:
                stream.write(sha256_of(target).encode())
        return target


def _is_whole(path: Path, digest: Path) -> bool:
    try:
        return digest.read_text("ascii") == sha256_of(path)
    except (OSError, UnicodeDecodeError):
        return False


def _checked(path: Path, file: IndexFile) -> FetchedWheel:
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise IndexUnavailable(file.url, str(error)) from error
    if file.sha256 and digest != file.sha256:
        raise IndexUnavailable(
            file.url,
            f"{path} has another SHA-256 than the index lists",
            hint="remove that file and run the command again",
        )
    return FetchedWheel(path.resolve(), digest)
