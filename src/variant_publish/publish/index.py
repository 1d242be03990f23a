"""The index of a store: one master per project, changed by compare-and-swap; every page is derived from it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote

from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, ProjectIndex, RootIndex
from variant_publish.progress import Advance
from variant_publish.publish.store import (
    HTML,
    SIMPLE_JSON,
    TEXT,
    Conflict,
    Outcome,
    Store,
    conflict,
    content_type_of,
    ignore,
)
from variant_publish.selectors import SelectorFiles
from variant_publish.site import render_project, render_root

ROOT_MASTER = "index.json"

_ATTEMPTS = 60
_LONGEST_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class Upload:
    """Hold one file on its way to an index: where it lies, its page entry, and the METADATA to serve beside it."""

    project: str
    path: Path
    entry: IndexFile
    metadata: bytes | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """Hold a project's index after an update, and the keys of the pages that were written (none: all were right)."""

    index: ProjectIndex
    written: tuple[str, ...]


def master_key(project: str) -> str:
    """Give the key of a project's master."""
    return f"{project}/index.json"


def read_index(store: Store, project: str) -> ProjectIndex | None:
    """Read the master of a project; None where the project is not there."""
    return _read(store, master_key(project), ProjectIndex.parse)[0]


def hosted_url(filename: str) -> str:
    """Give the address of a file that lies beside its page; S3 reads a bare `+` as a space."""
    return quote(filename, safe="")


def send(store: Store, upload: Upload, advance: Advance = ignore) -> Outcome:
    """Put a file and its METADATA beside the project's page; no page lists them yet."""
    key = f"{upload.project}/{upload.entry.filename}"
    outcome = store.create(
        key, upload.path, sha256=upload.entry.sha256, content_type=content_type_of(key), advance=advance
    )
    if upload.metadata is not None and upload.entry.metadata_sha256 is not None:
        store.create(
            f"{key}.metadata", upload.metadata, sha256=upload.entry.metadata_sha256, content_type=TEXT, advance=ignore
        )
    return outcome


def update_project(
    store: Store,
    project: str,
    files: Iterable[IndexFile] = (),
    *,
    version: str = "",
    selectors: SelectorFiles | None = None,
    tracks: tuple[str, ...] = (),
) -> Updated:
    """Add entries and selector files to a project's index, and mend pages that are old or missing.

    `selectors` are those of `version`, whose plain-named copies are mended, too. Raises Conflict where a name is listed
    with another hash, and the conflicts of selector files. An update without anything new writes nothing.
    """
    files = tuple(files)

    def change(index: ProjectIndex) -> ProjectIndex:
        texts = merged_texts(index.selector_texts, project, version, selectors)
        changed = index.updated(merged_files(store.describe(), index.distributions, files), texts, tracks)
        _create_selectors(store, changed, index.files)
        return changed

    empty = ProjectIndex(project)
    index, written = _change(store, master_key(project), ProjectIndex.parse, empty, change)
    if index.generation:

        def derive(found: ProjectIndex) -> Iterator[tuple[str, bytes, str]]:
            return _project_pages(store, found, version)

        written += _mend(store, master_key(project), ProjectIndex.parse, index, derive)
        written += _enter(store, project)
    return Updated(index, tuple(dict.fromkeys(written)))


def merged_files(place: str, old: Iterable[IndexFile], new: Iterable[IndexFile]) -> tuple[IndexFile, ...]:
    """Unite page entries; raise Conflict where one name has two hashes.

    What is known of an entry is kept, and what was not known is filled in. A file that lies on the index itself stays
    linked there; a link to elsewhere follows the file.
    """
    result = {file.filename: file for file in old}
    for file in new:
        known = result.get(file.filename)
        if known is None:
            result[file.filename] = file
        elif known.sha256 != file.sha256:
            raise conflict(place, file.filename)
        else:
            result[file.filename] = _united(known, file)
    return tuple(result.values())


def merged_texts(
    old: Mapping[str, Mapping[str, str]], project: str, version: str, selectors: SelectorFiles | None
) -> dict[str, dict[str, str]]:
    """Unite the texts of selector files with those of one release."""
    result = {key: dict(texts) for key, texts in old.items()}
    if selectors is not None:
        merged = SelectorFiles.parse(result.get(version, {})).merged(selectors)
        if texts := merged.texts(project, version):
            result[version] = texts
    return result


def _united(known: IndexFile, new: IndexFile) -> IndexFile:
    base = new if new.is_hosted or not known.is_hosted else known
    return replace(
        base,
        size=known.size if known.size is not None else new.size,
        requires_python=known.requires_python if known.requires_python is not None else new.requires_python,
        metadata_sha256=base.metadata_sha256 or (known.metadata_sha256 if known.url == base.url else None),
        upload_time=known.upload_time or new.upload_time,
        yanked=known.yanked if known.yanked is not None else new.yanked,
    )


def _create_selectors(store: Store, index: ProjectIndex, old: tuple[IndexFile, ...]) -> None:
    """Put new texts under their hashes before any page names them."""
    texts = {filename: text for texts in index.selector_texts.values() for filename, text in texts.items()}
    for entry in index.files:
        if entry.filename in texts and entry not in old:
            folder = entry.url.rpartition("/")[0]
            store.create(
                f"{index.name}/{folder}/{entry.filename}",
                texts[entry.filename].encode(),
                sha256=entry.sha256,
                content_type=content_type_of(entry.filename),
                advance=ignore,
            )


def _project_pages(store: Store, index: ProjectIndex, version: str) -> Iterator[tuple[str, bytes, str]]:
    """Give what the master stands for: its page, and one version's selector files under their plain names."""
    page = render_project(index).encode()
    for key in store.page_keys(f"{index.name}/"):
        yield key, page, HTML
    for filename, text in index.selector_texts.get(version, {}).items():
        yield f"{index.name}/{filename}", text.encode(), content_type_of(filename)


def _enter(store: Store, project: str) -> list[str]:
    """Enter a new project into the list of projects, and mend the list's page."""

    def change(root: RootIndex) -> RootIndex:
        if project in root.names:
            return root
        return RootIndex(tuple(sorted((*root.names, project))), root.generation + 1)

    root, written = _change(store, ROOT_MASTER, RootIndex.parse, RootIndex(), change)
    written += _mend(store, ROOT_MASTER, RootIndex.parse, root, lambda found: _root_pages(store, found))
    return written


def _root_pages(store: Store, root: RootIndex) -> Iterator[tuple[str, bytes, str]]:
    page = render_root(root).encode()
    for key in store.page_keys(""):
        yield key, page, HTML


class _Master(Protocol):
    @property
    def generation(self) -> int: ...

    def dumps(self) -> str: ...


M = TypeVar("M", bound=_Master)


def _read(store: Store, key: str, parse: Callable[[bytes], M]) -> tuple[M | None, str | None]:
    stored = store.read(key)
    if stored is None:
        return None, None
    try:
        return parse(stored.content), stored.etag
    except VariantPublishError as error:
        raise VariantPublishError(f"{store.describe()}: {key}: {error.message}", hint=error.hint) from error


def _change(
    store: Store, key: str, parse: Callable[[bytes], M], empty: M, change: Callable[[M], M]
) -> tuple[M, list[str]]:
    """Change a master by compare-and-swap until nobody else was faster."""
    for _ in _attempts(store, key):
        found, etag = _read(store, key, parse)
        old = found if found is not None else empty
        new = change(old)
        if new == old:
            return old, []
        if store.swap(key, new.dumps().encode(), etag=etag, content_type=SIMPLE_JSON, generation=new.generation):
            return new, [key]
    raise AssertionError  # _attempts raises first


def _mend(
    store: Store,
    key: str,
    parse: Callable[[bytes], M],
    known: M,
    derive: Callable[[M], Iterable[tuple[str, bytes, str]]],
) -> list[str]:
    """Write the pages that are not as the master has them.

    A page is read before the master and swapped after it, so whoever replaces a page knows a master at least as new
    as the one that the page was made from: pages only move forward, in any interleaving of writers.
    """
    written: list[str] = []
    keys = [page for page, _, _ in derive(known)]
    for _ in _attempts(store, key):
        before = {page: store.read(page) for page in keys}
        master, _etag = _read(store, key, parse)
        if master is None:
            return written
        pages = list(derive(master))
        keys = [page for page, _, _ in pages]
        if not set(keys) <= set(before):
            continue  # pages that were not known yet: read them before the master, too
        settled = True
        for page, content, content_type in pages:
            stored = before[page]
            if stored is not None and stored.content == content:
                continue
            etag = stored.etag if stored is not None else None
            if store.swap(page, content, etag=etag, content_type=content_type, generation=master.generation):
                written.append(page)
            else:
                settled = False
        if settled:
            return written
    raise AssertionError  # _attempts raises first


def _attempts(store: Store, key: str) -> Iterator[int]:
    """Count tries with growing, random pauses, so that writers who meet do not meet again; give up with an error."""
    for attempt in range(_ATTEMPTS):
        if attempt > 1:
            time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.01 * 2**attempt)))  # noqa: S311 - no secret depends on it
        yield attempt
    raise Conflict(
        f"{store.describe()}: {key} was changed by others at every one of {_ATTEMPTS} tries",
        hint="run the command again when fewer jobs publish this project at once",
    )
