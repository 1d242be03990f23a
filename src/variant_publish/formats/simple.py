"""The simple repository API as values (PEP 503, 592, 629, 658/714, 691, 700, 708, 740, 792)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote

from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.model.url import check_link, is_web
from variant_publish.model.versions import version_or_none

API_VERSION = "1.2"
API_VERSION_WITH_PROVENANCE = "1.3"
API_VERSION_WITH_STATUS = "1.4"
STATUSES = ("active", "archived", "deprecated")
"""What a project can be (PEP 792); quarantine, which hides files that are there, is a matter for whoever hosts them."""

GENERATION = "_generation"
RELEASES = "_releases"
PUBLIC_URL = "_public-url"
VIEWS = "_views"
REMOVED = "_removed"
SELECTORS = ".selectors"
"""The folder of a project in which every text of a selector file lies, under its own hash."""


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


@dataclass(frozen=True, slots=True)
class IndexFile:
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


@dataclass(frozen=True, slots=True)
class ProjectIndex:
    """The master of one project on the extra index: `NAME/index.json`, from which every page is derived.

    `files` are the entries of the page, those of the selector files last; `generation` counts the changes.
    `selector_texts` holds, for each version, the texts of the selector files by file name; they travel in the master,
    so that one compare-and-swap changes files and selectors together. `removed` are the versions and file names that
    were taken away for good, none of which is used again. `status` and its reason are those of PEP 792, "" for none.
    `public_url` is where users find the index, "" where that is not known; `views` holds, for each version, the name
    and the address of the indexes that have one variant of it each (dialect local). `parse(dumps()) == self`.
    """

    name: str
    files: tuple[IndexFile, ...] = ()
    generation: int = 0
    tracks: tuple[str, ...] = ()
    selector_texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    status: str = ""
    status_reason: str = ""
    public_url: str = ""
    views: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        """Return the lowest version of the interface that has what the page says."""
        if self.status:
            return API_VERSION_WITH_STATUS
        return API_VERSION_WITH_PROVENANCE if any(file.provenance for file in self.files) else API_VERSION

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the versions that have files, oldest first (PEP 700)."""
        found = {version for file in self.files if (version := version_of(file.filename))}
        return tuple(map(str, sorted(map(Version, found))))

    @property
    def distributions(self) -> tuple[IndexFile, ...]:
        """Return the wheels and sdists: every entry but those of the selector files."""
        derived = {filename for texts in self.selector_texts.values() for filename in texts}
        return tuple(file for file in self.files if file.filename not in derived)

    def updated(
        self,
        distributions: Iterable[IndexFile],
        selector_texts: Mapping[str, Mapping[str, str]],
        tracks: tuple[str, ...] = (),
        public_url: str = "",
    ) -> Self:
        """Return the next generation with this content, or this very one where nothing changes.

        Each text of a selector file is entered under an address that its hash is part of, so a page that names a hash
        never links another text, however an update is cut off.
        """
        entries = [
            selector_entry(filename, text)
            for _, texts in sorted(selector_texts.items())
            for filename, text in sorted(texts.items())
        ]
        return self.changed(
            files=(*sorted(distributions, key=_order), *entries),
            selector_texts=selector_texts,
            tracks=tracks or self.tracks,
            public_url=public_url or self.public_url,
        )

    def is_removed(self, filename: str) -> bool:
        """Return whether a wheel or sdist of this name was taken away for good."""
        return filename in self.removed or version_of(filename) in self.removed

    def changed(self, **changes: Any) -> Self:
        """Return the next generation with these changes, or this very one where nothing changes."""
        result = replace(self, **changes)
        return self if result == self else replace(result, generation=self.generation + 1)

    def file(self, filename: str) -> IndexFile | None:
        """Return the entry of a file name, or None."""
        return next((file for file in self.files if file.filename == filename), None)

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        meta: dict[str, Any] = {"api-version": self.api_version, GENERATION: self.generation}
        if self.tracks:
            meta["tracks"] = list(self.tracks)
        data: dict[str, Any] = {
            "meta": meta,
            "name": self.name,
            "versions": list(self.versions),
            "files": [file.table() for file in self.files],
            RELEASES: {version: dict(sorted(texts.items())) for version, texts in sorted(self.selector_texts.items())},
        }
        if self.public_url:
            data[PUBLIC_URL] = self.public_url
        if self.views:
            data[VIEWS] = {version: dict(sorted(names.items())) for version, names in sorted(self.views.items())}
        if self.removed:
            data[REMOVED] = list(self.removed)
        if self.status:
            reason = {"reason": self.status_reason} if self.status_reason else {}
            data["project-status"] = {"status": self.status, **reason}
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse a master; raise VariantPublishError where it is something else."""
        try:
            data = json.loads(content)
            status = data.get("project-status", {})
            return cls(
                name=data["name"],
                files=tuple(IndexFile.parse(table) for table in data["files"]),
                generation=data["meta"].get(GENERATION, 0),
                tracks=tuple(data["meta"].get("tracks", ())),
                selector_texts={version: dict(texts) for version, texts in data.get(RELEASES, {}).items()},
                removed=tuple(data.get(REMOVED, ())),
                status=status.get("status", ""),
                status_reason=status.get("reason", ""),
                public_url=data.get(PUBLIC_URL, ""),
                views={version: dict(names) for version, names in data.get(VIEWS, {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VariantPublishError(
                f"the index page is not PEP 691 JSON ({error!r})",
                hint="another tool wrote it: move it away, or repair it",
            ) from error


@dataclass(frozen=True, slots=True)
class RootIndex:
    """The master of the list of projects: `index.json` at the root; `parse(dumps()) == self`."""

    names: tuple[str, ...] = ()
    generation: int = 0

    def dumps(self) -> str:
        """Return the JSON text of PEP 691; equal values give equal text."""
        data = {
            "meta": {"api-version": API_VERSION, GENERATION: self.generation},
            "projects": [{"name": name} for name in self.names],
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the list; raise VariantPublishError where it is something else."""
        try:
            data = json.loads(content)
            return cls(tuple(item["name"] for item in data["projects"]), data["meta"].get(GENERATION, 0))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VariantPublishError(
                f"the list of projects is not PEP 691 JSON ({error!r})",
                hint="another tool wrote it: move it away, or repair it",
            ) from error


def selector_entry(filename: str, text: str) -> IndexFile:
    """Return the page entry of one text of a selector file."""
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()
    return IndexFile(filename, f"{SELECTORS}/{digest[:16]}/{quote(filename, safe='')}", digest, len(content))


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


def _order(file: IndexFile) -> tuple[Version, str]:
    return Version(version_of(file.filename) or "0"), file.filename
