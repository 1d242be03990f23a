"""`pylock.toml` (PEP 751): what will be installed, file by file; variants of it beside what today's clients read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import unquote

import msgspec
from packaging.pylock import Pylock, PylockValidationError

from variant_publish.errors import VariantPublishError
from variant_publish.formats import toml
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.typed import from_table, refusing
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.url import check_link

TOOL = "variant-publish"
VARIANTS_EXTRA = "variants"
ONLY_VARIANTS = f"'{VARIANTS_EXTRA}' in extras"
"""The marker (PEP 751) of what only variants depend on."""


class LockedFile(msgspec.Struct, frozen=True):
    """One file of a lock, by its URL and lower-case hex SHA-256."""

    url: str
    sha256: str

    def __post_init__(self) -> None:
        check_link(self.url)
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(f"the SHA-256 {self.sha256[:80]!r} is not 64 hex digits")

    @property
    def name(self) -> str:
        """Return the file name."""
        return name_in(self.url)

    def table(self) -> dict[str, Any]:
        """Return the table of PEP 751."""
        return {"name": self.name, "url": self.url, "hashes": {"sha256": self.sha256}}

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the table; raise ValueError where it has no SHA-256."""
        return cls(table["url"], table["hashes"]["sha256"])


def name_in(url: str) -> str:
    """Return the name of the file that a URL leads to."""
    return unquote(url.partition("#")[0].rpartition("/")[2])


class LockedVariant(msgspec.Struct, frozen=True):
    """One wheel of a variant in a lock for every machine, and the names of what this variant depends on."""

    file: LockedFile
    requires: tuple[str, ...] = ()

    def table(self) -> dict[str, Any]:
        """Return the table."""
        return {**self.file.table(), "requires": list(self.requires)}

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the table."""
        return cls(LockedFile.parse(table), tuple(table["requires"]))


class LockedPackage(msgspec.Struct, frozen=True):
    """One package: `files` for every client, `chosen` for those that read variants, with what it is.

    `metadata` describes the variants of the release, for clients that choose by themselves. In a lock for every
    machine `variants` are all its wheels that are variants, `selector` is the other file that they are chosen by,
    `index` the index that they are on, `requires` what the package (of a variant package, the generic wheel) depends
    on, and `marker` the environments it is for (PEP 508).
    """

    project: str
    version: str
    files: tuple[LockedFile, ...]
    chosen: LockedFile | None = None
    record: InstalledVariant | None = None
    metadata: VariantsMetadata | None = None
    marker: str = ""
    requires: tuple[str, ...] = ()
    variants: tuple[LockedVariant, ...] = ()
    selector: SelectorFile | None = None
    index: str = ""

    def table(self) -> dict[str, Any]:
        """Return the table of PEP 751."""
        wheels = [file.table() for file in self.files if file.name.endswith(".whl")]
        sdists = [file.table() for file in self.files if not file.name.endswith(".whl")]
        data: dict[str, Any] = {"name": self.project, "version": self.version}
        if self.marker:
            data["marker"] = self.marker
        if wheels:
            data["wheels"] = wheels
        if sdists:
            data["sdist"] = sdists[0]
        if self.metadata is not None:
            data["variants-json"] = self.metadata.table()
        if self.chosen is not None and self.record is not None:
            data["tool"] = {TOOL: {"wheel": self.chosen.table(), "record": self.record.table()}}
        elif self.requires or self.variants:
            data["tool"] = {TOOL: self._universal()}
        return data

    def _universal(self) -> dict[str, Any]:
        data: dict[str, Any] = {"requires": list(self.requires)}
        if self.variants:
            data |= {"index": self.index, "wheels": [variant.table() for variant in self.variants]}
        if self.selector is not None:
            data["selector"] = toml.loads(self.selector.dumps())
        return data

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the table."""
        files = [*table.get("wheels", ()), *([table["sdist"]] if "sdist" in table else [])]
        own = table.get("tool", {}).get(TOOL, {})
        metadata = table.get("variants-json")
        return cls(
            table["name"],
            table["version"],
            tuple(map(LockedFile.parse, files)),
            LockedFile.parse(own["wheel"]) if "wheel" in own else None,
            InstalledVariant.from_table(own["record"]) if "wheel" in own else None,
            None if metadata is None else VariantsMetadata.from_table(metadata),
            table.get("marker", ""),
            tuple(own.get("requires", ())),
            tuple(map(LockedVariant.parse, own.get("wheels", ()))),
            SelectorFile.from_tables(own["selector"]) if "selector" in own else None,
            own.get("index", ""),
        )


class Lock(msgspec.Struct, frozen=True):
    """A lock for one machine, or for every machine where `host` is None; `parse(dumps()) == self`.

    A lock for every machine has its own `requires_python`, and `roots`, the names of what was asked for. Today's
    clients, which read PEP 751 alone, leave out what only variants depend on: it is marked with an extra.
    """

    packages: tuple[LockedPackage, ...]
    host: HostFile | None
    requires_python: str = ""
    roots: tuple[str, ...] = ()

    def dumps(self) -> str:
        """Return the TOML text; equal values give equal text."""
        data: dict[str, Any] = {"lock-version": "1.0"}
        if self.requires_python:
            data["requires-python"] = self.requires_python
        own: dict[str, Any] = {"roots": list(self.roots)}
        if self.host is not None:
            data["requires-python"] = f"=={'.'.join(self.host.python.rstrip('t').split('.')[:2])}.*"
            own = {"host": self.host.table()}
        elif any(ONLY_VARIANTS in package.marker for package in self.packages):
            data["extras"] = [VARIANTS_EXTRA]
        packages = [package.table() for package in self.packages]
        return toml.dumps({**data, "created-by": TOOL, "packages": packages, "tool": {TOOL: own}})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a lock that this tool wrote; raise VariantPublishError for any other file."""
        with refusing(_no_lock):
            data = toml.loads(text)
            try:
                Pylock.from_dict(data)
            except PylockValidationError as error:
                raise _no_lock(f"{error!s:.200}") from error
            own = data["tool"][TOOL]
            packages = tuple(map(LockedPackage.parse, data["packages"]))
            if "host" in own:
                return cls(packages, from_table(own["host"], HostFile, _no_lock))
            return cls(packages, None, data.get("requires-python", ""), tuple(own["roots"]))

    def requirements(self) -> str:
        """Return the lines of a requirements file: a URL and a hash for each package."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for package in self.packages:
            file = package.chosen or package.files[0]
            yield f"{package.project} @ {file.url} --hash=sha256:{file.sha256}"


def _no_lock(reason: str) -> VariantPublishError:
    return VariantPublishError(
        f"this is no lock of variant-publish ({reason})", hint="write one with 'variant-publish lock'"
    )
