"""Objects of a store as values: what is read, listed and written, and the errors about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from variant_publish.errors import VariantPublishError

HTML = "text/html; charset=utf-8"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
JSON = "application/json"
TOML = "application/toml"
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

CANARY = ".variant-publish/conditions"
"""The object by which a store is tried: it can be written once, and it can be asked for at the public address."""

UPLOADS = ".variant-publish/uploads/"
"""Where lies what belongs to uploads in parts: on S3 notes of them, elsewhere files on their way to their names."""

_DIGITS = 19
_TYPES = {".html": HTML, ".json": JSON, ".toml": TOML, ".metadata": TEXT}


class Conflict(VariantPublishError):
    """Report other bytes under a name that is taken; nothing is ever overwritten."""


class CutOff(VariantPublishError):
    """Report an answer that ended too early or makes no sense: whether the request was carried out is not known."""


class CreateOutcome(StrEnum):
    """What `Store.create` found."""

    CREATED = "created"
    ALREADY_THERE = "already there"


class PutResult(StrEnum):
    """What became of a conditional write: written, refused by its condition, or disturbed by another writer."""

    WRITTEN = "written"
    LOST = "lost"
    RACE = "race"


class ObjectHeaders(msgspec.Struct, frozen=True):
    """What is stored with an object: its content type, its SHA-256, and for a page the generation of its master.

    `generation` is None for a file, which never changes. `is_packed` says that the object is compressed.
    """

    content_type: str
    sha256: str
    generation: int | None = None
    is_packed: bool = False

    @property
    def cache_control(self) -> str:
        """Return how long caches may keep the object: files for good, pages for a minute."""
        return "public, max-age=31536000, immutable" if self.generation is None else "public, max-age=60"

    @property
    def metadata(self) -> dict[str, str]:
        """Return what the store keeps as words of its user."""
        found = {"sha256": self.sha256}
        return found if self.generation is None else {**found, "generation": str(self.generation)}


def generation_of(metadata: Mapping[str, str]) -> int | None:
    """Return the generation in the metadata of an object; None where there is none."""
    text = metadata.get("generation", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


class Stored(msgspec.Struct, frozen=True):
    """A page as it was read: its bytes, and the tag to swap it by."""

    content: bytes
    etag: str


class Stat(msgspec.Struct, frozen=True):
    """What is known of an object without reading it.

    `sha256` is what the object's headers say, None where they say nothing; `checksum` is what the store itself has
    computed of the bytes, "" where it has not, and means something to the store alone. `etag` tells this object from
    a later one under its key. `generation` is that of the master of a page, None where the store does not say.
    """

    size: int
    sha256: str | None = None
    checksum: str = ""
    etag: str = ""
    generation: int | None = None


class Listed(msgspec.Struct, frozen=True):
    """An object in a listing; `modified` is ISO 8601 in UTC."""

    key: str
    size: int
    modified: str


class Pending(msgspec.Struct, frozen=True):
    """An upload that was begun and not finished: it costs storage until it is ended."""

    key: str
    begun: str
    id: str


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, as listings have it."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def content_type_of(key: str) -> str:
    """Return the content type of a file by its name."""
    return _TYPES.get(Path(key).suffix, BINARY)


def conflict(place: str, key: str) -> Conflict:
    """Return the error for other bytes under a key."""
    return Conflict(
        f"{place}: {key} is there already with other bytes",
        hint="a published name is never used twice: build the file with a new version or build tag",
    )


def contended(place: str, key: str) -> Conflict:
    """Return the error for a key that others keep writing."""
    return Conflict(
        f"{place}: {key} is being written by somebody else", hint="run the command again when they are done"
    )


def changed_on_the_way(source: Path | bytes) -> VariantPublishError:
    """Return the error for a file that no longer has the hash it was planned with."""
    name = source if isinstance(source, Path) else "the content"
    return VariantPublishError(
        f"{name} changed while it was being published", hint="let the build finish, then run the command again"
    )


def ignore(count: int) -> None:
    """Ignore progress."""
