"""The index of a store: one master per project, changed by compare-and-swap; every page is derived from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from variant_publish.formats.provenance import PROVENANCE_SUFFIX, check_attestation, provenance
from variant_publish.formats.simple import IndexFile, ProjectIndex, RootIndex
from variant_publish.index.master import change_master, mend, read_master
from variant_publish.index.pages import render_project, render_root
from variant_publish.progress import Advance
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.objects import HTML, JSON, TEXT, Conflict, CreateOutcome, conflict, content_type_of, ignore
from variant_publish.store.store import Store
from variant_publish.store.stored_file import StoredFile

ROOT_MASTER = "index.json"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way to an index: where it lies, its page entry, and what is served beside it.

    That is METADATA, and the attestation (PEP 740) where there is one.
    """

    project: str
    path: Path
    entry: IndexFile
    metadata: bytes | None = None
    attestation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """A project's index after an update, and the keys of the pages that were written (none: all were right)."""

    index: ProjectIndex
    written: tuple[str, ...]


def master_key(project: str) -> str:
    """Return the key of a project's master."""
    return f"{project}/index.json"


def read_index(store: Store, project: str) -> ProjectIndex | None:
    """Read the master of a project; None where the project is not there."""
    return read_master(store, master_key(project), ProjectIndex.parse)[0]


def read_root(store: Store) -> RootIndex | None:
    """Read the master of the list of projects; None where nothing is published."""
    return read_master(store, ROOT_MASTER, RootIndex.parse)[0]


def hosted_url(filename: str) -> str:
    """Return the address of a file that lies beside its page; S3 reads a bare `+` as a space."""
    return quote(filename, safe="")


def send(store: Store, upload: Upload, advance: Advance = ignore, stored: StoredFile | None = None) -> CreateOutcome:
    """Put a file, its METADATA and its provenance beside the project's page; no page lists them yet.

    A file that is `stored` elsewhere is copied from there.
    """
    key = f"{upload.project}/{upload.entry.filename}"
    outcome = store.create(
        key, stored or upload.path, sha256=upload.entry.sha256, content_type=content_type_of(key), advance=advance
    )
    if upload.metadata is not None and upload.entry.metadata_sha256 is not None:
        store.create(
            f"{key}.metadata", upload.metadata, sha256=upload.entry.metadata_sha256, content_type=TEXT, advance=ignore
        )
    if upload.attestation is not None:
        text = provenance(check_attestation(upload.attestation, upload.entry.filename, upload.entry.sha256)).encode()
        digest = hashlib.sha256(text).hexdigest()
        store.create(key + PROVENANCE_SUFFIX, text, sha256=digest, content_type=JSON, advance=ignore)
    return outcome


def update_project(
    store: Store,
    project: str,
    files: Iterable[IndexFile] = (),
    *,
    version: str = "",
    selectors: SelectorFiles | None = None,
    tracks: tuple[str, ...] = (),
    public_url: str = "",
) -> Updated:
    """Add entries and selector files to a project's index, and rewrite old and missing pages.

    `selectors` are those of `version`, whose plain-named copies are rewritten. Raises Conflict where a name is listed
    with another hash, and the conflicts of selector files. An update without anything new writes nothing.
    """
    files = tuple(files)

    def change(index: ProjectIndex) -> ProjectIndex:
        refuse_removed(store.describe(), index, files)
        if index.status == "archived" and not {file.filename for file in files} <= {
            file.filename for file in index.files
        }:
            raise Conflict(
                f"{store.describe()}: the project {project} is archived",
                hint="run 'variant-publish index status NAME active' first",
            )
        texts = merged_texts(index.selector_texts, project, version, selectors)
        changed = index.updated(merged_files(store.describe(), index.distributions, files), texts, tracks, public_url)
        _create_selectors(store, changed, index.files)
        return changed

    return change_project(store, project, change, versions=(version,))


def change_project(
    store: Store, project: str, change: Callable[[ProjectIndex], ProjectIndex], *, versions: Iterable[str] = ()
) -> Updated:
    """Change a project's master by compare-and-swap, then rewrite its pages and the list of projects.

    `change` gives the next generation, or its argument where nothing is to be done; it may be called more than once.
    """
    versions = tuple(versions)
    empty = ProjectIndex(project)
    index, written = change_master(store, master_key(project), ProjectIndex.parse, empty, change)
    if index.generation:

        def derive(found: ProjectIndex) -> Iterator[tuple[str, bytes, str]]:
            return project_pages(store, found, versions)

        written += mend(store, master_key(project), ProjectIndex.parse, index, derive)
        written += _enter(store, project)
    return Updated(index, tuple(dict.fromkeys(written)))


def refuse_removed(place: str, index: ProjectIndex, files: Iterable[IndexFile]) -> None:
    """Raise Conflict where a file was taken away for good: clients may keep the old bytes for ever."""
    known = {file.filename for file in index.files}
    names = [file.filename for file in files if file.filename not in known and index.is_removed(file.filename)]
    if names:
        raise Conflict(
            f"{place}: {', '.join(names)} was removed",
            hint="a published name is never used twice: build the file with a new version or build tag",
        )


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
    digest = base.metadata_sha256 or (known.metadata_sha256 if known.url == base.url else None)
    return replace(
        base,
        size=known.size if known.size is not None else new.size,
        requires_python=known.requires_python if known.requires_python is not None else new.requires_python,
        metadata_sha256=digest,
        serves_metadata=base.serves_metadata and digest is None,
        provenance=new.provenance or known.provenance,
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


def project_pages(store: Store, index: ProjectIndex, versions: Iterable[str]) -> Iterator[tuple[str, bytes, str]]:
    """Return what the master stands for: its page, and some versions' selector files under their plain names."""
    page = render_project(index).encode()
    for key in store.page_keys(f"{index.name}/"):
        yield key, page, HTML
    for version in versions:
        for filename, text in index.selector_texts.get(version, {}).items():
            yield f"{index.name}/{filename}", text.encode(), content_type_of(filename)


def _enter(store: Store, project: str) -> list[str]:
    """Enter a new project into the list of projects, and rewrite the list's page."""

    def change(root: RootIndex) -> RootIndex:
        if project in root.names:
            return root
        return RootIndex(tuple(sorted((*root.names, project))), root.generation + 1)

    root, written = change_master(store, ROOT_MASTER, RootIndex.parse, RootIndex(), change)
    written += mend(store, ROOT_MASTER, RootIndex.parse, root, lambda found: root_pages(store, found))
    return written


def root_pages(store: Store, root: RootIndex) -> Iterator[tuple[str, bytes, str]]:
    """Return the page of the list of projects, under each key that clients ask for."""
    page = render_root(root).encode()
    for key in store.page_keys(""):
        yield key, page, HTML
