"""Adopt: make masters of a bucket of wheels, or of pages that another tool wrote, without downloading the wheels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from variant_publish.archive.dist_info import DistInfo
from variant_publish.archive.zipraw import InvalidArchive
from variant_publish.dialects.registry import release_of_file
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.master import ProjectIndex, stored_key
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.page import parse_page
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.index.index import ProjectFacts, update_project
from variant_publish.index.masters import read_index
from variant_publish.index.pins import exact_pins
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.selectors import SelectorFiles
from variant_publish.remote.archive import RangedArchive
from variant_publish.store.objects import TEXT, Listed, ignore
from variant_publish.store.store import Store

_BASE = "https://index.invalid/"


class Adopted(msgspec.Struct, frozen=True):
    """What became of a project: its files, those without a hash, and the keys of pages written."""

    project: str
    files: tuple[str, ...]
    unhashed: tuple[str, ...]
    written: tuple[str, ...]


def adopt(
    store: Store, project: str | None = None, *, hash_all: bool = False, reporter: Reporter = SILENT
) -> tuple[Adopted, ...]:
    """Make or complete the master of a project (default: of every project that the store holds files of).

    Hashes come from pages that are there and from what the store knows; `hash_all` reads the files that have none.
    Raises UsageError where there is nothing to adopt.
    """
    there = {item.key: item for item in store.keys("")}
    found: dict[str, list[Listed]] = {}
    for item in there.values():
        if (name := _project_of(item.key)) is not None:
            found.setdefault(name, []).append(item)
    wanted = canonicalize_name(project) if project is not None else None
    for key in there:
        if key.endswith("/index.html") and key.count("/") == 1:
            found.setdefault(canonicalize_name(key.partition("/")[0]), [])
    names = sorted(found) if wanted is None else [name for name in (wanted,) if name in found]
    if not names:
        raise UsageError(
            f"{store.describe()} holds no wheels{f' of {project}' if project else ''}",
            hint="name the place that the wheels or their pages lie in, and the project as its folder is called",
        )
    return tuple(_Project(store, name, found[name], there, reporter).adopted(hash_all) for name in names)


class _Project:
    """Adopt one project."""

    def __init__(
        self, store: Store, name: str, files: list[Listed], there: Mapping[str, Listed], reporter: Reporter
    ) -> None:
        self.store = store
        self.name = name
        self.files = files
        self.there = there
        self.reporter = reporter
        self.metadata: dict[str, list[bytes]] = {}

    def adopted(self, hash_all: bool) -> Adopted:
        known = {file.filename: file for file in self._listed()}
        entries = dict(known)
        for item in self.files:
            entry = self._entry(item, known.get(item.key.rpartition("/")[2]), hash_all)
            entries[entry.filename] = entry
        written = update_project(self.store, self.name, entries.values()).written
        texts = self._selectors()
        for version in sorted({*texts, *self.metadata}):
            selectors = SelectorFiles.parse(texts.get(version, {}))
            facts = ProjectFacts(version, selectors, metadata=tuple(self.metadata.get(version, ())))
            if texts.get(version) or exact_pins(facts.metadata):
                written += update_project(self.store, self.name, facts=facts).written
        unhashed = tuple(sorted(name for name, entry in entries.items() if not entry.sha256))
        return Adopted(self.name, tuple(sorted(entries)), unhashed, tuple(dict.fromkeys(written)))

    def _entry(self, item: Listed, known: IndexFile | None, hash_all: bool) -> IndexFile:
        filename = item.key.rpartition("/")[2]
        up = "" if item.key.startswith(f"{self.name}/") else "../"
        url = up + quote(item.key.removeprefix(f"{self.name}/"))
        known = known or IndexFile(filename, url, "")
        sha256 = known.sha256 or self._hash(item, hash_all)
        entry = replace(known, sha256=sha256, size=item.size, upload_time=known.upload_time or item.modified)
        if not filename.endswith(".whl"):
            return entry
        content = self._metadata(item)
        self.metadata.setdefault(version_of(filename) or "", []).append(content)
        return replace(
            entry,
            requires_python=entry.requires_python or Metadata.parse(content).requires_python,
            metadata_sha256=hashlib.sha256(content).hexdigest(),
        )

    def _hash(self, item: Listed, hash_all: bool) -> str:
        found = self.store.stat(item.key)
        if found is not None and found.sha256:
            return found.sha256
        if not hash_all:
            return ""
        with self.reporter.track(item.key, item.size):
            return self.store.digest(item.key)

    def _metadata(self, item: Listed) -> bytes:
        """Read the METADATA beside the wheel, or the one in the tail of its archive, which is then put beside it."""
        key = f"{item.key}.metadata"
        stored = self.store.read(key) if key in self.there else None
        if stored is not None:
            return stored.content
        content = _read_metadata(self.store, item)
        digest = hashlib.sha256(content).hexdigest()
        self.store.create(key, content, sha256=digest, content_type=TEXT, advance=ignore)
        return content

    def _listed(self) -> Iterator[IndexFile]:
        """Return what masters and pages say already, with addresses as our pages have them."""
        index = read_index(self.store, self.name) or ProjectIndex(self.name)
        if index.generation:
            yield from index.distributions
            return
        files = list(index.files)
        for page in self.store.page_keys(f"{self.name}/"):
            stored = self.store.read(page) if not files else None
            files += parse_page(stored.content, urljoin(_BASE, f"{self.name}/")) if stored is not None else []
        for file in files:
            url = self._own(file.url)
            key = stored_key(self.name, url)
            if key is not None and key not in self.there:
                self.reporter.warn(f"{key} is listed and not there: it is left out")
            elif version_of(file.filename) is not None:
                own = replace(file, url=url)
                yield own if key is None else replace(own, metadata_sha256=None, serves_metadata=False)

    def _own(self, url: str) -> str:
        """Return an address as it stands on our page: relative for what lies in the store."""
        full = urldefrag(urljoin(urljoin(_BASE, f"{self.name}/"), url)).url
        if not full.startswith(_BASE):
            return full
        parts = unquote(urlsplit(full).path).removeprefix("/").split("/")
        # A path from the root of the host begins with the prefix that the store lies under.
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        key = next((tail for tail in tails if tail in self.there), "/".join(parts))
        return quote(key.removeprefix(f"{self.name}/")) if key.startswith(f"{self.name}/") else f"../{quote(key)}"

    def _selectors(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for key in self.there:
            folder, _, name = key.rpartition("/")
            if folder == self.name and (owner := release_of_file(name)) and (text := self.store.read(key)) is not None:
                found.setdefault(str(owner[1]), {})[name] = text.content.decode("utf-8")
        return found


def _read_metadata(store: Store, item: Listed) -> bytes:
    """Read METADATA out of a wheel in the store: a few ranges at its end, whatever its size."""

    def read(offset: int, length: int) -> bytes:
        return store.read_range(item.key, offset, length)

    try:
        archive = RangedArchive(item.key, item.size, read)
        archive.fetch_info()
        name = WheelName.parse(item.key.rpartition("/")[2])
        return DistInfo.read(archive, name, variant_json=False).files["METADATA"]
    except InvalidArchive as error:
        raise VariantPublishError(error.message, hint="remove it from the store, or replace it") from error


def _project_of(key: str) -> str | None:
    name = key.rpartition("/")[2]
    if "/." in f"/{key}" or key.count("/") > 1:
        return None
    try:
        if name.endswith(".whl"):
            return WheelName.parse(name).project
    except InvalidWheelName:
        return None
    return canonicalize_name(name.removesuffix(".tar.gz").rpartition("-")[0]) if name.endswith(".tar.gz") else None
