"""Masters: what an extra index is derived from, in the JSON of PEP 691 (PEP 503, 592, 629, 658/714, 700, 708, 792).

A master that was read is checked whole: its names become keys of the store, its addresses links of a page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from posixpath import normpath
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import quote, unquote, urlsplit

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import About
from variant_publish.formats.simple import IndexFile, PageEntry, check_filename, project_of, version_of
from variant_publish.formats.typed import from_json, refusing, to_json, values_of
from variant_publish.model.url import check_link
from variant_publish.model.versions import version_or_none

API_VERSION = "1.2"
API_VERSION_WITH_PROVENANCE = "1.3"
API_VERSION_WITH_STATUS = "1.4"
STATUSES = ("active", "archived", "deprecated")
"""What a project can be (PEP 792); quarantine, which hides files that are there, is a matter for whoever hosts them."""

SELECTORS = ".selectors"
"""The folder of a project in which every text of a selector file lies, under its own hash."""

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_BYTES = 256 << 20
_LONGEST = 2_000


class InvalidMaster(VariantPublishError):
    """Report a master that this program does not write."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"{what} {reason}", hint="another tool wrote it: move it away, or restore an earlier version of the object"
        )


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a master says beyond PEP 691, under keys of its own."""

    selectors: Mapping[str, tuple[str, ...]] = msgspec.field(default={}, name="_selectors")
    needs: Mapping[str, Mapping[str, str]] = msgspec.field(default={}, name="_needs")
    removed: tuple[str, ...] = msgspec.field(default=(), name="_removed")
    leaving: tuple[str, ...] = msgspec.field(default=(), name="_leaving")
    pins: Mapping[str, tuple[str, ...]] = msgspec.field(default={}, name="_pins")
    public_url: str = msgspec.field(default="", name="_public-url")
    views: Mapping[str, Mapping[str, str]] = msgspec.field(default={}, name="_views")


class ProjectIndex(_Kept, frozen=True):
    """The master of one project on the extra index: `NAME/index.json`, from which every page is derived.

    `files` are the entries of the page, those of the selector files last; `generation` counts the changes. `selectors`
    are the names of the selector files of each version, whose texts lie under their hashes, and `needs` says for each
    version what its variants need, in words. `removed` are the versions and file names that were taken away for good,
    none of which is used again; those that still lie there are `leaving`. `pins` are the exact requirements of the
    files, each with the versions that have it. `status` and its reason are those of PEP 792, "" for none. `public_url`
    is where users find the index, "" where that is not known; `views` holds, for each version, the name and the
    address of the indexes that have one variant of it each (dialect local). `about` is what METADATA says of the
    project. `parse(dumps()) == self`.
    """

    name: str
    files: tuple[IndexFile, ...] = ()
    generation: int = 0
    tracks: tuple[str, ...] = ()
    status: str = ""
    status_reason: str = ""
    about: About = About()

    def __post_init__(self) -> None:
        _check(self)

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
        names = {name for names in self.selectors.values() for name in names}
        return tuple(file for file in self.files if file.filename not in names)

    def selector_entries(self, version: str | None = None) -> dict[str, IndexFile]:
        """Return the entries of the selector files of a version (None: of all versions) by file name."""
        found = self.selectors.values() if version is None else (self.selectors.get(version, ()),)
        names = {name for names in found for name in names}
        return {file.filename: file for file in self.files if file.filename in names} if names else {}

    def updated(
        self, distributions: Iterable[IndexFile], version: str = "", selectors: Iterable[IndexFile] = (), **changes: Any
    ) -> Self:
        """Return the next generation with these wheels, sdists, and selector files of one version; self if unchanged.

        Each text of a selector file is entered under an address that its hash is part of, so a page that names a hash
        never links another text, however an update is cut off.
        """
        own = tuple(sorted(selectors, key=lambda file: file.filename))
        entries = {**self.selector_entries(), **{file.filename: file for file in own}}
        names = dict(self.selectors) | ({version: tuple(file.filename for file in own)} if own else {})
        order = [entries[name] for _, found in sorted(names.items()) for name in found]
        files = (*sorted(distributions, key=_order), *order)
        return self.changed(files=files, selectors=names, **changes)

    def without(self, gone: Iterable[str], removed: Iterable[str]) -> Self:
        """Return the next generation without these wheels and sdists; `removed` are the names never to be used again.

        What belongs to a version goes with its last file.
        """
        gone = frozenset(gone)
        left = tuple(file for file in self.distributions if file.filename not in gone)
        alive = {version_of(file.filename) for file in left}
        lost = {version_of(name) for name in gone} - alive
        names = {version: found for version, found in self.selectors.items() if version not in lost}
        selectors = self.selector_entries()
        lost_selectors = [name for version, found in self.selectors.items() if version in lost for name in found]
        pins = {text: kept for text, found in self.pins.items() if (kept := tuple(v for v in found if v not in lost))}
        return self.changed(
            files=(*left, *(selectors[name] for found in names.values() for name in found)),
            selectors=names,
            needs={version: found for version, found in self.needs.items() if version not in lost},
            views={version: found for version, found in self.views.items() if version not in lost},
            pins=pins,
            removed=tuple(dict.fromkeys((*self.removed, *removed))),
            leaving=tuple(dict.fromkeys((*self.leaving, *sorted(gone), *lost_selectors))),
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
        page = _Page(
            meta=_Meta(self.api_version, self.generation, self.tracks),
            name=self.name,
            versions=self.versions,
            files=tuple(file.entry() for file in self.files),
            status=_Status(self.status, self.status_reason) if self.status else None,
            about=self.about if self.about.version else None,
            **values_of(self, _Kept),
        )
        return to_json(page, order="deterministic")

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse a master; raise InvalidMaster where it is something else, or names what no master may name."""
        page = _decoded(content, _Page, "the index page")
        status = page.status or _Status()
        with refusing(lambda reason: InvalidMaster("the index page", f"is not PEP 691 JSON ({reason})")):
            found = cls(
                page.name,
                tuple(map(IndexFile.of, page.files)),
                page.meta.generation,
                page.meta.tracks,
                status.status,
                status.reason,
                page.about or About(),
                **values_of(page, _Kept),
            )
        _check_files(found)
        return found


class NewestRelease(msgspec.Struct, frozen=True):
    """What the list of projects says of one: its newest release, when it came out ("" for unknown), its variants."""

    version: str
    date: str = ""
    variants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = (self.version, self.date, *self.variants)
        if not all(len(text) <= _LONGEST and not _CONTROL.search(text) for text in texts):
            raise InvalidMaster("the newest release of a project", "has a text that is not one line")


class RootIndex(msgspec.Struct, frozen=True):
    """A list of projects, such as that of the index: `index.json` at the root; `parse(dumps()) == self`."""

    names: tuple[str, ...] = ()
    generation: int = 0
    newest: Mapping[str, NewestRelease] = {}

    def entered(self, project: str, newest: NewestRelease | None) -> Self:
        """Return the next generation with this project and its newest release, or this very one."""
        known = {name: one for name, one in self.newest.items() if name != project}
        if newest is not None:
            known[project] = newest
        if project in self.names and known == self.newest:
            return self
        return type(self)(tuple(sorted({*self.names, project})), self.generation + 1, known)

    def dumps(self) -> str:
        """Return the JSON text of PEP 691; equal values give equal text."""
        listed = tuple(_Listed(name, self.newest.get(name)) for name in self.names)
        return to_json(_List(_Meta(API_VERSION, self.generation), listed))

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the list; raise InvalidMaster where it is something else, or names what is no project."""
        found = _decoded(content, _List, "the list of projects")
        for item in found.projects:
            check_project(item.name)
        newest = {item.name: item.newest for item in found.projects if item.newest is not None}
        return cls(tuple(item.name for item in found.projects), found.meta.generation, newest)


class _Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    api_version: str = msgspec.field(default="", name="api-version")
    generation: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(default=0, name="_generation")
    tracks: tuple[str, ...] = ()


class _Status(msgspec.Struct, frozen=True, omit_defaults=True):
    status: str = ""
    reason: str = ""


class _Page(_Kept, frozen=True, omit_defaults=True, kw_only=True):
    meta: _Meta
    name: str
    versions: tuple[str, ...]
    files: tuple[PageEntry, ...]
    about: About | None = msgspec.field(default=None, name="_about")
    status: _Status | None = msgspec.field(default=None, name="project-status")


class _Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    newest: NewestRelease | None = msgspec.field(default=None, name="_newest")


class _List(msgspec.Struct, frozen=True):
    meta: _Meta
    projects: tuple[_Listed, ...]


def selector_entry(filename: str, text: str) -> IndexFile:
    """Return the page entry of one text of a selector file."""
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()
    return IndexFile(filename, _selector_url(filename, digest), digest, len(content))


def stored_key(project: str, url: str) -> str | None:
    """Return the key of a file by its address on the project's page; None for one that lies elsewhere."""
    if "/" not in url and ":" not in url and url not in (".", ".."):
        return f"{project}/{unquote(url)}"
    if urlsplit(url).scheme or url.startswith("/"):
        return None
    key = normpath(f"{project}/{unquote(url)}")
    return None if key in (".", "..") or key.startswith(("../", "/")) else key


def check_project(name: str) -> None:
    """Raise InvalidMaster where a name is not that of a project, normalized (PEP 503)."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise InvalidMaster(f"{name!r:.200}", "is not the normalized name of a project")


def _check(index: ProjectIndex) -> None:
    check_project(index.name)
    for url in (*index.tracks, index.public_url, *(url for views in index.views.values() for url in views.values())):
        check_link(url)
    for version in {*index.selectors, *index.needs, *index.views, *(v for found in index.pins.values() for v in found)}:
        if version and version_or_none(version) is None:
            raise InvalidMaster(f"{version!r:.200}", "is not a version")
    for version, names in index.selectors.items():
        for name in names:
            _check_selector(name, index.name, version)
    if index.status not in ("", *STATUSES):
        raise InvalidMaster(f"{index.status!r:.200}", "is not the status of a project")
    for name in (*index.removed, *index.leaving):
        check_filename(name)
    texts = (needs.items() for needs in (*index.needs.values(), *index.views.values()))
    for text in (index.status_reason, *index.pins, *(text for pairs in texts for pair in pairs for text in pair)):
        if len(text) > _LONGEST or _CONTROL.search(text):
            raise InvalidMaster(f"{text!r:.200}", "is not one line of text")


def _check_selector(name: str, project: str, version: str) -> None:
    """Raise where a name is not PROJECT-VERSION-KIND, which each dialect continues in its own way."""
    check_filename(name)
    stem, _, kind = name.partition(f"-{version}-")
    if not kind or canonicalize_name(stem) != project or version_of(name) is not None:
        raise InvalidMaster(f"{name!r:.200}", f"is not the name of a selector file of {project} {version}")


def _check_files(index: ProjectIndex) -> None:
    selectors = {name for names in index.selectors.values() for name in names}
    for file in index.files:
        name = file.filename
        if name in selectors and file.url == _selector_url(name, file.sha256):
            continue
        if project_of(name) != index.name:
            raise InvalidMaster(name, f"is not a wheel or sdist of {index.name}")


def _selector_url(filename: str, sha256: str) -> str:
    return f"{SELECTORS}/{sha256[:16]}/{quote(filename, safe='')}"


def _decoded(content: bytes | str, kind: type[T], what: str) -> T:
    if len(content) > _MOST_BYTES:
        raise InvalidMaster(what, f"has more than {_MOST_BYTES} bytes")
    return from_json(content, kind, lambda reason: InvalidMaster(what, f"is not PEP 691 JSON ({reason})"))


def _order(file: IndexFile) -> tuple[Version, str]:
    return Version(version_of(file.filename) or "0"), file.filename
