"""`pylock.toml` (PEP 751): what will be installed, file by file; variants of it beside what today's clients read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote

from variant_publish.errors import VariantPublishError
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.toml import dumps
from variant_publish.formats.variants_json import VariantsMetadata

TOOL = "variant-publish"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """Hold one file of a lock, by its URL and lower-case hex SHA-256."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """Give the file name."""
        return unquote(self.url.partition("#")[0].rpartition("/")[2])

    def table(self) -> dict[str, Any]:
        """Give the table of PEP 751."""
        return {"name": self.name, "url": self.url, "hashes": {"sha256": self.sha256}}

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the table."""
        return cls(table["url"], table["hashes"]["sha256"])


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """Hold one package: `files` for every client, `chosen` for those that read variants, with what it is.

    `metadata` describes the variants of the release, for clients that choose by themselves.
    """

    project: str
    version: str
    files: tuple[LockedFile, ...]
    chosen: LockedFile | None = None
    record: InstalledVariant | None = None
    metadata: VariantsMetadata | None = None

    def table(self) -> dict[str, Any]:
        """Give the table of PEP 751."""
        wheels = [file.table() for file in self.files if file.name.endswith(".whl")]
        sdists = [file.table() for file in self.files if not file.name.endswith(".whl")]
        data: dict[str, Any] = {"name": self.project, "version": self.version}
        if wheels:
            data["wheels"] = wheels
        if sdists:
            data["sdist"] = sdists[0]
        if self.metadata is not None:
            data["variants-json"] = json.loads(self.metadata.dumps())
        if self.chosen is not None and self.record is not None:
            data["tool"] = {TOOL: {"wheel": self.chosen.table(), "record": self.record.table()}}
        return data

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the table."""
        files = [*table.get("wheels", ()), *([table["sdist"]] if "sdist" in table else [])]
        own = table.get("tool", {}).get(TOOL)
        metadata = table.get("variants-json")
        return cls(
            table["name"],
            table["version"],
            tuple(map(LockedFile.parse, files)),
            None if own is None else LockedFile.parse(own["wheel"]),
            None if own is None else InstalledVariant.from_table(own["record"]),
            None if metadata is None else VariantsMetadata.parse(json.dumps(metadata)),
        )


@dataclass(frozen=True, slots=True)
class Lock:
    """Hold a lock for one machine; `parse(dumps()) == self`."""

    packages: tuple[LockedPackage, ...]
    host: HostFile

    def dumps(self) -> str:
        """Give the TOML text; equal values give equal text."""
        return dumps(
            {
                "lock-version": "1.0",
                "requires-python": f"=={'.'.join(self.host.python.rstrip('t').split('.')[:2])}.*",
                "created-by": TOOL,
                "packages": [package.table() for package in self.packages],
                "tool": {TOOL: {"host": self.host.table()}},
            }
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a lock that this tool wrote; raise VariantPublishError for any other file."""
        try:
            data = tomllib.loads(text)
            host = HostFile.parse(dumps(data["tool"][TOOL]["host"]))
            return cls(tuple(map(LockedPackage.parse, data["packages"])), host)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VariantPublishError(
                f"this is no lock of variant-publish ({error!r})", hint="write one with 'variant-publish lock'"
            ) from error

    def requirements(self) -> str:
        """Give the lines of a requirements file: a URL and a hash for each package."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for package in self.packages:
            file = package.chosen or package.files[0]
            yield f"{package.project} @ {file.url} --hash=sha256:{file.sha256}"
