"""The simple repository API as values (PEP 503, 592, 629, 658/714, 691, 700, 708, 740, 792)."""

from __future__ import annotations

import re
from typing import Any, Self

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.model.url import check_link, is_web
from variant_publish.model.versions import version_or_none

_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]{0,254}")
"""Letters that occur in names of wheels, sdists and selector files: no separator, space, escape or drive."""
_METADATA_KEYS = ("core-metadata", "dist-info-metadata", "data-dist-info-metadata")
"""PEP 714, PEP 691, and what PyPI wrote by mistake."""
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,20}(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
_LARGEST = 1 << 50
_LONGEST = 10_000


class InvalidEntry(VariantPublishError):
    """Report an entry of an index that no index may have."""

    def __init__(self, filename: object, reason: str) -> None:
        super().__init__(f"the entry {filename!s:.200} {reason}", hint="correct the index, or do not use it")


def check_filename(name: object) -> None:
    """Raise InvalidEntry where a name is no plain file name of a wheel, sdist or selector file."""
    if not isinstance(name, str) or not _FILENAME.fullmatch(name):
        raise InvalidEntry(repr(name), "has no plain file name")


class IndexFile(msgspec.Struct, frozen=True):
    """One file of a project page; raises InvalidEntry where a field cannot be one.

    `url` may be relative to the project page. `sha256` and `metadata_sha256` are lower-case hex; `size` is in bytes;
    `upload_time` is ISO 8601 in UTC. `yanked` is the reason, "" for a yank without one, None for none (PEP 592).
    `metadata_sha256` says that `url` + ".metadata" is served (PEP 658/714), `serves_metadata` the same where the index
    tells no hash of it; `provenance` is the full address of the file's provenance object (PEP 740).
    """

    filename: str
    url: str
    sha256: str
    size: int | None = None
    requires_python: str | None = None
    metadata_sha256: str | None = None
    upload_time: str | None = None
    yanked: str | None = None
    provenance: str | None = None
    serves_metadata: bool = False

    def __post_init__(self) -> None:
        check_filename(self.filename)
        if not isinstance(self.url, str):
            raise InvalidEntry(self.filename, "has no address")
        check_link(self.url)
        for digest in (self.sha256, self.metadata_sha256):
            if digest and not (isinstance(digest, str) and _HASH.fullmatch(digest)):
                raise InvalidEntry(self.filename, "has a SHA-256 that is not 64 lower-case hex digits")
        if self.size is not None and not (type(self.size) is int and 0 <= self.size <= _LARGEST):
            raise InvalidEntry(self.filename, "has a size that is no number of bytes")
        for text in (self.requires_python, self.upload_time, self.yanked, self.provenance):
            if text is not None and not (isinstance(text, str) and len(text) <= _LONGEST):
                raise InvalidEntry(self.filename, f"has a field that is no text of up to {_LONGEST} characters")
        if self.upload_time is not None and not _TIME.fullmatch(self.upload_time):
            raise InvalidEntry(self.filename, "has an upload time that is not ISO 8601")
        if self.provenance is not None and not is_web(self.provenance):
            raise InvalidEntry(self.filename, "has a provenance address that is not https: or http:")

    @property
    def metadata_url(self) -> str | None:
        """Return where METADATA is served beside the wheel; None where the index does not say that it is."""
        return f"{self.url}.metadata" if self.serves_metadata or self.metadata_sha256 is not None else None

    @property
    def is_hosted(self) -> bool:
        """Return whether the file lies beside its page; else the page links it where it lies elsewhere."""
        return "/" not in self.url

    def table(self) -> dict[str, Any]:
        """Return the JSON object of PEP 691/700."""
        hashes = {"sha256": self.sha256} if self.sha256 else {}
        result: dict[str, Any] = {"filename": self.filename, "url": self.url, "hashes": hashes}
        if self.size is not None:
            result["size"] = self.size
        if self.requires_python is not None:
            result["requires-python"] = self.requires_python
        if self.metadata_sha256 is not None:
            result["core-metadata"] = {"sha256": self.metadata_sha256}
        elif self.serves_metadata:
            result["core-metadata"] = True
        if self.upload_time is not None:
            result["upload-time"] = self.upload_time
        if self.yanked is not None:
            result["yanked"] = self.yanked or True
        if self.provenance is not None:
            result["provenance"] = self.provenance
        return result

    @classmethod
    def parse(cls, table: Any) -> Self:
        """Build from the JSON object; raise InvalidEntry where it is none."""
        if not isinstance(table, dict) or not isinstance(table.get("hashes", {}), dict):
            raise InvalidEntry("", "is not an object with hashes (PEP 691)")
        metadata = next((table[key] for key in _METADATA_KEYS if key in table), False)
        metadata_hash = metadata.get("sha256") if isinstance(metadata, dict) else None
        yanked = table.get("yanked", False)
        return cls(
            filename=table.get("filename", ""),
            url=table.get("url", ""),
            sha256=_lower(table.get("hashes", {}).get("sha256", "")),
            size=table.get("size"),
            requires_python=table.get("requires-python"),
            metadata_sha256=_lower(metadata_hash),
            upload_time=table.get("upload-time"),
            yanked=None if yanked is False else "" if yanked is True else yanked,
            provenance=table.get("provenance"),
            serves_metadata=bool(metadata) and metadata_hash is None,
        )


def version_of(filename: str) -> str | None:
    """Return the normalised version in the name of a wheel or sdist, None where there is none."""
    if filename.endswith(".whl"):
        text = filename.split("-")[1] if filename.count("-") >= 4 else ""
    elif filename.endswith((".tar.gz", ".zip")):
        text = filename.removesuffix(".tar.gz").removesuffix(".zip").rpartition("-")[2]
    else:
        return None
    version = version_or_none(text)
    return None if version is None else str(version)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
