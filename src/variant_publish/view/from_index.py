"""Choose from an index: read its page, and the selector files it links, then choose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.model.versions import version_or_none
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles, is_selector_toml, is_variants_json
from variant_publish.remote.files import read_url
from variant_publish.remote.listing import read_project
from variant_publish.view.choice import Selection, choose
from variant_publish.view.wish import Wish

_SELECTOR_LIMIT = 16 * 1024 * 1024


class ProjectNotFound(VariantPublishError):
    """Report a project that none of the indexes has."""


def select(
    project: str,
    indexes: Sequence[str],
    machine: Machine,
    *,
    version: SpecifierSet | None = None,
    dialect: Dialect | None = None,
    tags: Sequence[str] = (),
    implied: Mapping[str, Collection[str]] | None = None,
    generic: bool = False,
) -> Selection:
    """Choose from the first index that has the project, as installers do that guard against name confusion.

    `tags` are extra tags that the wheel must carry (`numpy+pypi`), `implied` maps an index to the tags that it vouches
    for; then the first index counts that has such a wheel. `generic` asks for the build that serves everyone. Selector
    files are read for the versions that are looked at, and for no others.
    """
    if not indexes:
        raise UsageError("no index is named", hint="name one with --index URL or --index FOLDER")
    first: Selection | None = None
    for index in indexes:
        files = read_project(index, project)
        if not files:
            continue
        wish = Wish(tuple(tags), frozenset((implied or {}).get(index, ())), generic)
        chosen = choose(files, _Linked(project, files), machine, version=version, dialect=dialect, wish=wish)
        chosen = replace(chosen, project=canonicalize_name(project), index=index)
        if chosen.selected is not None or not tags:
            return chosen
        first = first or chosen
    if first is None:
        raise ProjectNotFound(
            f"{project} is not on {', '.join(redact(index) for index in indexes)}",
            hint="check the project's name, or name another index",
        )
    return first


def selector_files(project: str, indexes: Sequence[str], version: SpecifierSet | None = None) -> SelectorFiles:
    """Return the selector files of the newest version that has some, on the first index that has the project."""
    for index in indexes:
        files = read_project(index, project)
        if not files:
            continue
        linked = _Linked(project, files)
        for found in sorted((version or SpecifierSet()).filter(linked), reverse=True):
            return linked[found]
        return SelectorFiles()
    raise ProjectNotFound(
        f"{project} is not on {', '.join(redact(index) for index in indexes)}",
        hint="check the project's name, or name another index",
    )


class _Linked(Mapping[Version, SelectorFiles]):
    """Read the selector files that an index links beside the wheels, each version when it is asked for."""

    def __init__(self, project: str, files: Iterable[IndexFile]) -> None:
        self.files: dict[Version, list[IndexFile]] = {}
        for file in files:
            if (version := _selector_version(project, file.filename)) is not None:
                self.files.setdefault(version, []).append(file)

    def __getitem__(self, version: Version) -> SelectorFiles:
        texts = {file.filename: self._text(file) for file in self.files[version]}
        return SelectorFiles.parse(texts)

    def __iter__(self) -> Iterator[Version]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def _text(self, file: IndexFile) -> str:
        return read_url(file.url, _SELECTOR_LIMIT, file.sha256).decode("utf-8", "replace")


def _selector_version(project: str, filename: str) -> Version | None:
    if not is_variants_json(filename) and not is_selector_toml(filename):
        return None
    stem = filename.removesuffix("-variants.json").removesuffix("-wheel-selector.toml")
    name, _, text = stem.rpartition("-")
    return version_or_none(text) if canonicalize_name(name) == canonicalize_name(project) else None
