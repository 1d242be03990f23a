"""Which index a project belongs to, and what a machine sees of it there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name

from variant_publish.dialects.registry import dialect_of_file
from variant_publish.dialects.wheel_name import wheels_among
from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.simple import IndexFile
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.listing import read_project
from variant_publish.remote.local import is_on_server, local_path
from variant_publish.serve.plain_wheel import plain_metadata, rewrite_of
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view.from_index import SelectorReader
from variant_publish.view.indexes import Indexes
from variant_publish.view.view import View, ViewFile
from variant_publish.view.wish import Wish

_FRESH_S = 60.0
_MANY = 4096

PYPI_TAG = "pypi"
"""The extra tag that the default index vouches for, unless another index is named for it."""


class SeenProject(msgspec.Struct, frozen=True):
    """A project on the index that it belongs to; `address` is where it can be read as it is, None where it cannot."""

    index: str
    view: View
    files: tuple[IndexFile, ...] = ()
    address: str | None = None

    def file(self, filename: str) -> ViewFile | None:
        """Return a file by its name in the view, or None."""
        return next((file for file in self.view.files if file.filename == filename), None)


class Projects(msgspec.Struct, dict=True):
    """What a machine sees of indexes, project by project; the first index that has a project owns it.

    `default` is the index of everything else: of it only those projects are read of which a `wish` asks for something.
    Answers are kept for a minute; safe to use from several threads. Without `holds_pins` whoever asks looks after the
    extra tags that a wheel asks of its dependencies.
    """

    indexes: Indexes
    default: str | None
    machine: Machine
    cache: WheelCache
    wishes: Mapping[NormalizedName, Wish] = {}
    generic: bool = False
    reporter: Reporter = SILENT
    holds_pins: bool = True
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._known: dict[NormalizedName, tuple[float, SeenProject | None]] = {}
        self._locks: dict[NormalizedName, threading.Lock] = {}
        self._lock = threading.Lock()
        self._selectors = SelectorReader(self.cache.transport, self.cache.root / "selectors")

    def find(self, project: str) -> SeenProject | None:
        """Return a project, or None where no index has it; raise IndexUnavailable where one cannot be read."""
        name = canonicalize_name(project)
        with self._lock:
            if len(self._known) > _MANY:
                self._known.clear()
                self._locks.clear()
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            known = self._known.get(name)
            if known is None or self.clock() - known[0] > _FRESH_S:
                known = self._known[name] = (self.clock(), self._find(name))
        return known[1]

    def metadata(self, file: ViewFile) -> bytes:
        """Return the METADATA of a file, as the wheel of the view has it. Raises where it is insane."""
        content = self.cache.metadata(file.source)
        parsed = Metadata.parse(content)
        return bytes(plain_metadata(file, parsed, self.machine)) if file.is_rewritten else content

    def wheel(self, file: ViewFile) -> Path:
        """Return the rewritten wheel of the view, from the cache or made now."""
        fetched = self.cache.fetch(file.source, self.reporter)
        metadata = Metadata.parse(self.cache.metadata(file.source))
        return self.cache.made(fetched, rewrite_of(file, metadata, self.machine), self.reporter)

    def wish_of(self, name: NormalizedName, index: str) -> Wish:
        """Return what is asked of a project's wheels on an index."""
        wish = self.wishes.get(name, Wish())
        return Wish(wish.tags, self.vouched(index), wish.generic or self.generic, wish.locals)

    def vouched(self, index: str) -> frozenset[str]:
        """Return the extra tags that an index vouches for; the default one for +pypi, unless another one does."""
        implied = self.indexes.implied
        own = index == self.default and not any(PYPI_TAG in tags for tags in implied.values())
        return frozenset((*implied.get(index, ()), *([PYPI_TAG] if own else ())))

    def check_pins(self, file: ViewFile) -> None:
        """Raise VariantPublishError where an installer could take another build than a wheel asks for (`b+cu128==1`).

        Plain requirements have no words for it, so such a wheel is not handed over.
        """
        path = local_path(file.source.url)
        if file.name is None or not self.holds_pins or (path is not None and not path.exists()):
            return
        for pin in self.cache.pins(file.source):
            marker = pin.plain.marker
            if marker is not None and not marker.evaluate({**self.machine.marker_environment, "extra": ""}):
                continue
            if other := self._unlike(pin):
                raise VariantPublishError(
                    f"{file.source.filename} asks for {pin}, and this machine sees {other}",
                    hint=f"'variant-publish install {file.name.project}' takes the build that is meant",
                )

    def _unlike(self, pin: TaggedRequirement) -> str | None:
        """Return a wheel that meets a pin for plain installers, and does not carry its tags; None where none does."""
        seen = self.find(pin.project)
        if seen is None or frozenset(pin.tags) <= self.vouched(seen.index):
            return None
        if seen.address is not None:
            return f"{pin.project} of {redact(seen.index)}"
        wish = Wish(pin.tags, self.vouched(seen.index))
        fitting = [
            file for file in seen.view.files
            if file.name is not None and not file.tags.isdisjoint(self.machine.tag_set or file.tags)
            and pin.plain.specifier.contains(file.version, prereleases=True) and not wish.met_by(file.name)
        ]  # fmt: skip
        return fitting[-1].source.filename if fitting else None

    def identity(self) -> str:
        """Return a text that differs where something else is seen."""
        machine = self.machine
        return json.dumps(
            [self.indexes.urls, sorted(self.indexes.implied.items()), self.default, sorted(machine.values.items()),
             sorted(map(repr, machine.evaluated.items())), sorted(machine.allowed), sorted(machine.denied),
             sorted(map(repr, self.wishes.items())), self.generic]
        )  # fmt: skip

    def _find(self, name: NormalizedName) -> SeenProject | None:
        asked = self.wishes.get(name, Wish()).tags
        first: SeenProject | None = None
        for index in self.indexes.urls:
            files = read_project(index, name, self.cache.transport)
            if not files:
                continue
            seen = self._seen(index, name, files)
            if not asked or any(file.name is not None for file in seen.view.files):
                return seen
            first = first or seen
        return first if first is not None and not asked else self._on_default(name) or first

    def _on_default(self, name: NormalizedName) -> SeenProject | None:
        if self.default is None:
            return None
        if not self.wish_of(name, self.default).tags and (address := _address(self.default, name)) is not None:
            return SeenProject(self.default, View(name), (), address)
        files = read_project(self.default, name, self.cache.transport)
        return self._seen(self.default, name, files) if files else None

    def _seen(self, index: str, name: NormalizedName, files: tuple[IndexFile, ...]) -> SeenProject:
        if is_on_server(index):  # a page on a server says nothing of files on this disk
            files = tuple(file for file in files if not file.url.startswith("file:"))
        if "@" in urlsplit(index).netloc:
            files = tuple(replace(file, url=with_credentials(file.url, index)) for file in files)
        wish = self.wish_of(name, index)
        if not wish.tags and not has_variants(files):
            plain = tuple(file for file in files if not _is_selector(file))
            return SeenProject(index, View.of(plain, {}, self.machine), files, _address(index, name))
        return SeenProject(index, View.of(files, self._selectors.linked(name, files), self.machine, wish), files)


def has_variants(files: tuple[IndexFile, ...]) -> bool:
    """Return whether a page has anything that plain installers do not read."""
    return any(map(_is_selector, files)) or any(name.dialect is not None for name, _ in wheels_among(files))


def passes_through(url: str) -> bool:
    """Return whether a client cannot fetch a file by itself: it is on this disk, or behind credentials."""
    return url.startswith("file:") or "@" in urlsplit(url).netloc


def with_credentials(url: str, index: str) -> str:
    """Return a URL with the credentials of its index, if it is on the same host and has none."""
    parts, own = urlsplit(url), urlsplit(index)
    userinfo = own.netloc.rpartition("@")[0]
    if not userinfo or "@" in parts.netloc or (parts.scheme, parts.hostname, parts.port) != (
        own.scheme, own.hostname, own.port,
    ):  # fmt: skip
        return url
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}"))


def _address(index: str, name: NormalizedName) -> str | None:
    """Return where a client reads the page by itself; None for a folder, and where credentials are needed."""
    if not is_on_server(index) or "@" in urlsplit(index).netloc:
        return None
    return f"{index.rstrip('/')}/{name}/"


def _is_selector(file: IndexFile) -> bool:
    return dialect_of_file(file.filename) is not None
