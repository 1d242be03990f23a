"""The simple repository API as values (PEP 503, 592, 629, 658/714, 691, 700, 708, 740, 792)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.formats.typed import prepared, refusing
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.url import check_link, is_web
from variant_publish.model.versions import version_or_none

_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]{0,254}")
"""Letters that occur in names of wheels, sdists and selector files: no separator, space, escape or drive."""
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,20}(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
_LARGEST = 1 << 50

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Hashes = Mapping[str, str]


def _no_hashes() -> Hashes:
    return {}  # `dict` itself would be a default that is left out, and PEP 691 wants the key


class PageEntry(msgspec.Struct, frozen=True, omit_defaults=True, rename="kebab"):
    """One file of a project page as the JSON object that it is (PEP 691, 700, 740).

    METADATA is said to be served under three keys: that of PEP 714, of PEP 691, and what PyPI wrote by mistake.
    """

    filename: str
    url: str
    hashes: Hashes = msgspec.field(default_factory=_no_hashes)
    size: Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)] | None = None
    requires_python: Text | None = None
    core_metadata: bool | Hashes | None = None
    dist_info_metadata: bool | Hashes | None = None
    data_dist_info_metadata: bool | Hashes | None = None
    upload_time: Text | None = None
    yanked: bool | Text | None = None
    provenance: Text | None = None


class InvalidEntry(VariantPublishError):
    """Report an entry of an index that no index may have."""

    def __init__(self, filename: object, reason: str) -> None:
        super().__init__(f"the entry {filename!s:.200} {reason}", hint="correct the index, or do not use it")


def check_filename(name: str) -> None:
    """Raise InvalidEntry where a name is no plain file name of a wheel, sdist or selector file."""
    if not _FILENAME.fullmatch(name):
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
        check_link(self.url)
        for digest in (self.sha256, self.metadata_sha256):
            if digest and not _HASH.fullmatch(digest):
                raise InvalidEntry(self.filename, "has a SHA-256 that is not 64 lower-case hex digits")
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
        table: dict[str, Any] = msgspec.to_builtins(self.entry())
        return table

    def entry(self) -> PageEntry:
        """Return the entry as a page has it."""
        digest = None if self.metadata_sha256 is None else {"sha256": self.metadata_sha256}
        return PageEntry(
            self.filename,
            self.url,
            {"sha256": self.sha256} if self.sha256 else {},
            self.size,
            self.requires_python,
            digest or self.serves_metadata or None,
            upload_time=self.upload_time,
            yanked=True if self.yanked == "" else self.yanked,
            provenance=self.provenance,
        )

    @classmethod
    def of(cls, entry: PageEntry) -> Self:
        """Build from the entry of a page; raise InvalidEntry where no index may have it."""
        keys = (entry.core_metadata, entry.dist_info_metadata, entry.data_dist_info_metadata)
        metadata = next((key for key in keys if key is not None), False)
        metadata_hash = None if isinstance(metadata, bool) else metadata.get("sha256")
        return cls(
            entry.filename,
            entry.url,
            entry.hashes.get("sha256", "").lower(),
            entry.size,
            entry.requires_python,
            None if metadata_hash is None else metadata_hash.lower(),
            entry.upload_time,
            None if entry.yanked is False else "" if entry.yanked is True else entry.yanked,
            entry.provenance,
            bool(metadata) and metadata_hash is None,
        )

    @classmethod
    def parse(cls, table: Any) -> Self:
        """Build from the JSON object; raise InvalidEntry where it is none."""
        with refusing(lambda reason: InvalidEntry(repr(table)[:100], f"is not one of PEP 691 ({reason})")):
            return cls.of(msgspec.convert(table, prepared(PageEntry)))


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


def project_of(filename: str) -> str | None:
    """Return the normalized project in the name of a wheel or sdist with a version, None where there is none."""
    if version_of(filename) is None:
        return None
    wheel = filename.endswith(".whl")
    return canonicalize_name(filename.partition("-")[0] if wheel else filename.rpartition("-")[0]) or None
