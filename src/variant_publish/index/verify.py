"""An index against itself: every listed file is there, and every page equals its master."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from variant_publish.formats.master import ProjectIndex, RootIndex, stored_key
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import change_project, project_pages, root_pages
from variant_publish.index.leaving import BESIDE, leaving_keys
from variant_publish.index.masters import Page, read_index, read_root
from variant_publish.index.pins import enter_pins, is_entered, pinned_projects, pins_key
from variant_publish.progress import SILENT, Reporter
from variant_publish.store.store import Store

SCHEMA_VERSION = 1


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong: a key, what is wrong with it, and whether `--repair` repairs it."""

    key: str
    what: str
    is_mendable: bool = msgspec.field(default=False, name="mendable")


class Verified(msgspec.Struct, frozen=True):
    """What was looked at and found; `unlisted` are objects that no page lists, such as a cut-off upload leaves."""

    projects: tuple[str, ...]
    files: int
    troubles: tuple[Trouble, ...]
    unlisted: tuple[str, ...]
    mended: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Return whether nothing is wrong, or everything that was is repaired."""
        return all(trouble.key in self.mended for trouble in self.troubles)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"schema-version": SCHEMA_VERSION, "sound": self.is_sound, **msgspec.to_builtins(self)}


def verify(
    store: Store, projects: Sequence[str] = (), *, deep: bool = False, repair: bool = False, reporter: Reporter = SILENT
) -> Verified:
    """Verify projects (default: all). `deep` reads every file and compares its hash; `repair` rewrites pages."""
    root = read_root(store) or RootIndex()
    prefixes = [f"{canonicalize_name(project)}/" for project in projects]
    there = _listed(store, prefixes or [""])
    found_here = (name for name, sizes in there.items() if f"{name}/index.json" in sizes)
    names = tuple(prefix[:-1] for prefix in prefixes) or tuple(sorted({*root.names, *found_here}))
    troubles: list[Trouble] = []
    unlisted: list[str] = []
    mended: list[str] = []
    count = 0
    for name in names:
        index = read_index(store, name)
        if index is None:
            troubles.append(Trouble(f"{name}/index.json", "is not there"))
            continue
        look = _Look(store, index, there.get(name, {}), deep=deep, reporter=reporter)
        found = [*look.troubles()]
        if name not in root.names:
            found.append(Trouble("index.json", f"does not list the project {name}", is_mendable=True))
        unlisted += look.unlisted()
        count += len(index.files)
        if repair and any(trouble.is_mendable for trouble in found):
            enter_pins(store, name, (), index.pins)
            mended += change_project(store, name, versions=index.selectors).written
            mended += [trouble.key for trouble in found if trouble.is_mendable]
        troubles += found
    root = read_root(store) or RootIndex()
    troubles += _page_troubles(store, root_pages(store, root)) if root.generation else []
    return Verified(names, count, tuple(troubles), tuple(unlisted), tuple(dict.fromkeys(mended)))


class _Look:
    """Look at one project, whose objects have these sizes."""

    def __init__(
        self, store: Store, index: ProjectIndex, sizes: Mapping[str, int], *, deep: bool, reporter: Reporter
    ) -> None:
        self.store = store
        self.index = index
        self.deep = deep
        self.reporter = reporter
        self.sizes = sizes
        self.pages = tuple(project_pages(store, index, index.selectors))
        self.used = {f"{index.name}/index.json", *(page for page, _, _ in self.pages)}

    def troubles(self) -> Iterator[Trouble]:
        counts = Counter(file.filename for file in self.index.files)
        for name in sorted(name for name, count in counts.items() if count > 1):
            yield Trouble(f"{self.index.name}/{name}", "is listed twice")
        for file in self.index.files:
            yield from self._file(file)
        yield from _page_troubles(self.store, self.pages)
        for key in leaving_keys(self.store, self.index):
            yield Trouble(key, "is to be deleted and still there", is_mendable=True)
        for pinned in pinned_projects(self.index):
            if not is_entered(self.store, self.index.name, pinned):
                yield Trouble(pins_key(pinned), f"does not list {self.index.name}, which pins it", is_mendable=True)

    def unlisted(self) -> list[str]:
        """Return what lies there and is not listed; old texts of selector files stay for pages that are in caches."""
        return sorted(key for key in self.sizes if key not in self.used and f"{self.index.name}/." not in key)

    def _file(self, file: IndexFile) -> Iterator[Trouble]:
        key = stored_key(self.index.name, file.url)
        if key is None:
            return
        self.used |= {key, *(key + ending for ending in BESIDE)}
        size = self._size(key)
        if size is None:
            yield Trouble(key, "is listed and not there")
            return
        if not file.sha256:
            yield Trouble(key, "is listed without a hash")
        if file.size is not None and size != file.size:
            yield Trouble(key, f"has {size} bytes instead of {file.size}")
        elif self.deep and file.sha256:
            with self.reporter.track(file.filename, None):
                if self.store.digest(key) != file.sha256:
                    yield Trouble(key, "has other bytes than the hash on its page")
        if file.metadata_sha256 is not None:
            if self._size(f"{key}.metadata") is None:
                yield Trouble(f"{key}.metadata", "is listed and not there")
            elif self.deep and self.store.digest(f"{key}.metadata") != file.metadata_sha256:
                yield Trouble(f"{key}.metadata", "has other bytes than the hash on its page")

    def _size(self, key: str) -> int | None:
        if key in self.sizes or key.startswith(f"{self.index.name}/"):
            return self.sizes.get(key)
        found = self.store.stat(key)
        return None if found is None else found.size


def _listed(store: Store, prefixes: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
    """Return the sizes of objects by project and key; each is listed once, a thousand to a request."""
    result: dict[str, dict[str, int]] = {}
    for prefix in prefixes:
        for item in store.keys(prefix):
            project = item.key.partition("/")[0]
            if project in result or canonicalize_name(project) == project:
                result.setdefault(project, {})[item.key] = item.size
    return result


def _page_troubles(store: Store, pages: Iterable[Page]) -> Iterator[Trouble]:
    for key, content, _ in pages:
        stored = store.read(key)
        if stored is None:
            yield Trouble(key, "is not there", is_mendable=True)
        elif stored.content != content:
            yield Trouble(key, "is not what its master says", is_mendable=True)
