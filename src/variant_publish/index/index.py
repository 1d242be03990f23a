"""The index of a store: one master per project, changed by compare-and-swap; every page is derived from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from os.path import commonprefix
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from packaging.version import Version

from variant_publish.formats.master import NewestRelease, ProjectIndex, RootIndex, selector_entry
from variant_publish.formats.metadata import About
from variant_publish.formats.provenance import PROVENANCE_SUFFIX, check_attestation, provenance
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.index.leaving import delete_leaving
from variant_publish.index.masters import ROOT_MASTER, Page, ReadIndex, change_master, master_key, mend, parser_of
from variant_publish.index.pages import render_project, render_root
from variant_publish.index.pins import enter_pins, exact_pins, with_pins
from variant_publish.index.project_page import needs_of, newest, releases_of
from variant_publish.index.selector_texts import SelectorTexts
from variant_publish.model.safe_text import visible
from variant_publish.progress import Advance
from variant_publish.release.selectors import SelectorFiles
from variant_publish.store.keys import key_of
from variant_publish.store.objects import HTML, JSON, TEXT, Conflict, CreateOutcome, conflict, content_type_of, ignore
from variant_publish.store.store import Store
from variant_publish.store.stored_file import SplicedFile, StoredFile

_LONGEST_WORDS = 1000


class Upload(msgspec.Struct, frozen=True):
    """One file on its way to an index: where it lies, its page entry, and what is served beside it.

    That is METADATA, and the attestation (PEP 740) where there is one.
    """

    project: str
    path: Path
    entry: IndexFile
    metadata: bytes | None = None
    attestation: bytes | None = None


class ProjectFacts(msgspec.Struct, frozen=True):
    """What an update says of a project besides its files.

    The release that they are of and its selector files, which projects of other indexes the project tracks (PEP 708),
    where users find the index, the METADATA of the wheels, and the master as it was `read` before.
    """

    version: str = ""
    selectors: SelectorFiles | None = None
    tracks: tuple[str, ...] = ()
    public_url: str = ""
    metadata: tuple[bytes, ...] = ()
    read: ReadIndex | None = None


NO_FACTS = ProjectFacts()


class Updated(msgspec.Struct, frozen=True):
    """A project's index after an update, and the keys of the pages that were written (none: all were right)."""

    index: ProjectIndex
    written: tuple[str, ...]


def hosted_url(filename: str) -> str:
    """Return the address of a file that lies beside its page; S3 reads a bare `+` as a space."""
    return quote(filename, safe="")


def send(
    store: Store, upload: Upload, advance: Advance = ignore, stored: StoredFile | SplicedFile | None = None
) -> CreateOutcome:
    """Put a file, its METADATA and its provenance beside the project's page; no page lists them yet.

    Of a file that is `stored` elsewhere, or its beginning, the store makes a copy.
    """
    key = key_of(upload.project, upload.entry.filename)
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
    store: Store, project: str, files: Iterable[IndexFile] = (), facts: ProjectFacts = NO_FACTS
) -> Updated:
    """Add entries and selector files to a project's index, and rewrite old and missing pages.

    The plain-named copies of the version's selector files are rewritten. Raises Conflict where a name is listed with
    another hash, and the conflicts of selector files. An update without anything new writes nothing.
    """
    files, version = tuple(files), facts.version
    texts = SelectorTexts(store)
    pins = exact_pins(facts.metadata) if version else ()

    def change(index: ProjectIndex) -> ProjectIndex:
        refuse_removed(store.describe(), index, files)
        _refuse_archived(store.describe(), index, files)
        own = _selector_entries(texts, index, version, facts.selectors)
        enter_pins(store, project, index.pins, pins)
        return index.updated(
            merged_files(store.describe(), index.distributions, files),
            version,
            own,
            needs={**index.needs, version: found} if (found := _needs(texts, own)) else index.needs,
            pins=with_pins(index, version, pins),
            tracks=facts.tracks or index.tracks,
            public_url=facts.public_url or index.public_url,
            about=_about(index.about, facts.metadata, version),
        )

    return change_project(store, project, change, versions=(version,), texts=texts, read=facts.read)


def change_project(
    store: Store,
    project: str,
    change: Callable[[ProjectIndex], ProjectIndex] = lambda index: index,
    *,
    versions: Iterable[str] = (),
    texts: SelectorTexts | None = None,
    read: ReadIndex | None = None,
) -> Updated:
    """Change a project's master by compare-and-swap; rewrite its pages and the list of projects; finish removals.

    `change` gives the next generation, or its argument where nothing is to be done; it may be called more than once.
    `versions` are those whose selector files are mended, too.
    """
    versions, texts = tuple(versions), texts or SelectorTexts(store)
    key, parse = master_key(project), parser_of(project)
    index, written = change_master(store, key, parse, ProjectIndex(project), change, read)
    if index.generation:

        def derive(found: ProjectIndex) -> Iterator[Page]:
            return project_pages(store, found, versions, texts)

        written += mend(store, key, parse, index, derive, texts.new)
        written += _enter(store, index)
        delete_leaving(store, index)
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


def missing_files(store: Store, index: ProjectIndex | None, version: str) -> frozenset[str]:
    """Return the names of a release's files that are listed here and do not lie here, or whose METADATA does not."""
    found = index.distributions if index is not None else ()
    own = [file for file in found if file.is_hosted and _is_of(file, version)]
    keys = {file: key_of(index.name, file.filename) for file in own} if index is not None else {}
    begin = commonprefix(list(keys.values()))  # noqa: RUF071 - of texts
    there = {item.key for item in store.keys(begin)} if keys else frozenset()
    return frozenset(
        file.filename
        for file, key in keys.items()
        if key not in there or (file.metadata_sha256 is not None and f"{key}.metadata" not in there)
    )


def _is_of(file: IndexFile, version: str) -> bool:
    text = version_of(file.filename)
    return text is not None and Version(text).public == Version(version).public


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


def read_selectors(store: Store, index: ProjectIndex | None, version: str) -> SelectorFiles:
    """Return the selector files that an index has of a version."""
    return SelectorFiles.parse(SelectorTexts(store).of(index, version)) if index is not None else SelectorFiles()


def _selector_entries(
    texts: SelectorTexts, index: ProjectIndex, version: str, selectors: SelectorFiles | None
) -> tuple[IndexFile, ...]:
    """Unite a version's selector files with those of the index, and write new texts under their hashes."""
    if selectors is None:
        return ()
    result = []
    listed = index.selector_entries(version)
    merged = SelectorFiles.parse(texts.of(index, version)).merged(selectors)
    for name, text in merged.texts(index.name, version).items():
        entry = selector_entry(name, text)
        if listed.get(name) != entry:
            texts.create(index.name, entry, text, is_new=name not in listed)
        result.append(entry)
    return tuple(result)


def _about(known: About, metadata: Sequence[bytes], version: str) -> About:
    """Return what METADATA says of the project, unless that of a later release is known."""
    if not metadata or not version or (known.version and Version(known.version) > Version(version)):
        return known
    return About.of(metadata[0], version)


def _needs(texts: SelectorTexts, entries: Iterable[IndexFile]) -> dict[str, str]:
    """Return variant -> what it needs in words, for the page; names in selector files may be any text."""
    found = needs_of({entry.filename: texts.known[entry.sha256] for entry in entries})
    return {visible(variant)[:_LONGEST_WORDS]: visible(words)[:_LONGEST_WORDS] for variant, words in found.items()}


def _refuse_archived(place: str, index: ProjectIndex, files: Iterable[IndexFile]) -> None:
    if index.status == "archived" and {file.filename for file in files} - {file.filename for file in index.files}:
        raise Conflict(
            f"{place}: the project {index.name} is archived",
            hint="run 'variant-publish index status NAME active' first",
        )


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


def project_pages(
    store: Store, index: ProjectIndex, versions: Iterable[str], texts: SelectorTexts | None = None
) -> Iterator[Page]:
    """Return what the master stands for: its page, and some versions' selector files under their plain names."""
    page = render_project(index).encode()
    for key in store.page_keys(f"{index.name}/"):
        yield key, page, HTML
    texts = texts or SelectorTexts(store)
    for version in versions:
        for filename, text in texts.of(index, version).items():
            yield key_of(index.name, filename), text.encode(), content_type_of(filename)


def _enter(store: Store, index: ProjectIndex) -> list[str]:
    """Enter a project and its newest release into the list of projects, and rewrite the list's page."""
    best = newest(releases_of(index))
    found = NewestRelease(best.version, best.date, best.variants) if best is not None else None

    def change(root: RootIndex) -> RootIndex:
        return root.entered(index.name, found)

    root, written = change_master(store, ROOT_MASTER, RootIndex.parse, RootIndex(), change)
    written += mend(store, ROOT_MASTER, RootIndex.parse, root, lambda found: root_pages(store, found))
    return written


def root_pages(store: Store, root: RootIndex) -> Iterator[Page]:
    """Return the page of the list of projects, under each key that clients ask for."""
    page = render_root(root).encode()
    for key in store.page_keys(""):
        yield key, page, HTML
