"""Choose from an index: read its page, and the selector files it links, then choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.archive.atomic import replacing
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import release_of_file
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.remote.files import read_url
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import Transport
from variant_publish.view.choice import Selection, choose
from variant_publish.view.indexes import Indexes
from variant_publish.view.wish import Wish

_SELECTOR_LIMIT = 16 * 1024 * 1024
_AT_ONCE = 16


class ProjectNotFound(VariantPublishError):
    """Report a project that none of the indexes has."""

    def __init__(self, project: str, indexes: Iterable[str]) -> None:
        places = ", ".join(map(redact, indexes))
        super().__init__(f"{project} is not on {places}", hint="check the project's name, or name another index")


def select(
    project: str,
    indexes: Indexes,
    machine: Machine,
    *,
    version: SpecifierSet | None = None,
    dialect: Dialect | None = None,
    wish: Wish | None = None,
) -> Selection:
    """Choose from the first index that has the project, as installers do that guard against name confusion.

    With a wish for extra tags (`numpy+pypi`) the first index counts that has such a wheel; what each vouches for is
    added to the wish. Selector files are read for the versions that are looked at, and for no others.
    """
    if not indexes.urls:
        raise UsageError("no index is named", hint="name one with --index URL or --index FOLDER")
    first: Selection | None = None
    asked = wish or Wish()
    for index in indexes.urls:
        files = read_project(index, project)
        if not files:
            continue
        linked = LinkedSelectors(project, files, SelectorReader().text)
        here = replace(asked, implied=frozenset(indexes.implied.get(index, ())))
        chosen = choose(files, linked, machine, version=version, dialect=dialect, wish=here)
        chosen = replace(chosen, project=canonicalize_name(project), index=index)
        if chosen.selected is not None or not asked.tags:
            return chosen
        first = first or chosen
    if first is None:
        raise ProjectNotFound(project, indexes.urls)
    return first


def selector_files(project: str, indexes: Sequence[str], version: SpecifierSet | None = None) -> SelectorFiles:
    """Return the selector files of the newest version that has some, on the first index that has the project."""
    for index in indexes:
        if files := read_project(index, project):
            return newest_selectors(project, files, version)
    raise ProjectNotFound(project, indexes)


def newest_selectors(project: str, files: Iterable[IndexFile], version: SpecifierSet | None = None) -> SelectorFiles:
    """Return the selector files of the newest version that has some, among the files of an index."""
    linked = LinkedSelectors(project, files, SelectorReader().text)
    newest = max((version or SpecifierSet()).filter(linked), default=None)
    return SelectorFiles() if newest is None else linked[newest]


class SelectorReader:
    """Read the selector files that indexes link beside the wheels: each text once, and kept in `folder` if given."""

    def __init__(self, transport: Transport | None = None, folder: Path | None = None) -> None:
        self.transport, self.folder = transport or Transport(), folder
        self._texts: dict[str, str] = {}

    def linked(self, project: str, files: Iterable[IndexFile]) -> LinkedSelectors:
        """Return the selector files of all versions, read several at a time."""
        found = LinkedSelectors(project, files, self.text)
        distinct = {file.sha256 or file.url: file for linked in found.files.values() for file in linked}
        if len(distinct) > 1:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._try, distinct.values()))
        return found

    def text(self, file: IndexFile) -> str:
        """Return the text of one file; raise VariantPublishError where it is not the one that the index lists."""
        key = file.sha256
        if key and key in self._texts:
            return self._texts[key]
        place = self.folder / key if self.folder is not None and key else None
        content = None
        if place is not None:
            with suppress(VariantPublishError):
                content = read_url(place.resolve().as_uri(), _SELECTOR_LIMIT, key)
        if content is None:
            content = read_url(file.url, _SELECTOR_LIMIT, key, self.transport)
            if place is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                with replacing(place) as stream:
                    stream.write(content)
        text = content.decode("utf-8", "replace")
        if key:
            self._texts[key] = text
        return text

    def _try(self, file: IndexFile) -> None:
        with suppress(VariantPublishError):  # whoever asks for this release is told
            self.text(file)


class LinkedSelectors(Mapping[Version, SelectorFiles]):
    """The selector files that an index links beside the wheels, each version read when it is asked for."""

    def __init__(self, project: str, files: Iterable[IndexFile], read: Callable[[IndexFile], str]) -> None:
        self.files: dict[Version, list[IndexFile]] = {}
        self.read = read
        for file in files:
            found = release_of_file(file.filename)
            if found is not None and found[0] == canonicalize_name(project):
                self.files.setdefault(found[1], []).append(file)

    def __getitem__(self, version: Version) -> SelectorFiles:
        texts = {file.filename: self.read(file) for file in self.files[version]}
        return SelectorFiles.parse(texts)

    def __iter__(self) -> Iterator[Version]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)
