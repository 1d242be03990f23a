"""Masters are changed by compare-and-swap; the pages that are derived from them only move forward."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import InvalidMaster, ProjectIndex, RootIndex
from variant_publish.store.keys import key_of
from variant_publish.store.objects import SIMPLE_JSON, Conflict, Stat
from variant_publish.store.store import Store

ROOT_MASTER = "index.json"

_ATTEMPTS = 60
_LONGEST_WAIT = 2.0

M = TypeVar("M", ProjectIndex, RootIndex)
"""What pages are derived from."""

ReadIndex: TypeAlias = tuple[ProjectIndex | None, str | None]
"""The master of a project as it was read, and the tag to change it by; (None, None) where it is not there."""

Page = tuple[str, bytes, str]
"""The key, the content and the content type of a page."""


def master_key(project: str) -> str:
    """Return the key of a project's master."""
    return key_of(project, "index.json")


def read_index(store: Store, project: str) -> ProjectIndex | None:
    """Return the master of a project; None where the project is not there."""
    return read_tagged(store, project)[0]


def read_tagged(store: Store, project: str) -> ReadIndex:
    """Return the master of a project and its tag."""
    return read_master(store, master_key(project), parser_of(project))


def read_root(store: Store) -> RootIndex | None:
    """Return the master of the list of projects; None where nothing is published."""
    return read_master(store, ROOT_MASTER, RootIndex.parse)[0]


def parser_of(project: str) -> Callable[[bytes], ProjectIndex]:
    """Return the parser of a project's master, which refuses that of another project."""

    def parse(content: bytes) -> ProjectIndex:
        index = ProjectIndex.parse(content)
        if index.name != project:
            raise InvalidMaster("it", f"is the master of {index.name!r}")
        return index

    return parse


def read_master(store: Store, key: str, parse: Callable[[bytes], M]) -> tuple[M | None, str | None]:
    """Return a master and its tag; (None, None) where it is not there."""
    stored = store.read_again(key)
    if stored is None:
        return None, None
    try:
        return parse(stored.content), stored.etag
    except VariantPublishError as error:
        raise VariantPublishError(f"{store.describe()}: {key}: {error.message}", hint=error.hint) from error


def change_master(
    store: Store,
    key: str,
    parse: Callable[[bytes], M],
    empty: M,
    change: Callable[[M], M],
    read: tuple[M | None, str | None] | None = None,
) -> tuple[M, list[str]]:
    """Change a master by compare-and-swap until nobody else was faster; return it, and the keys written.

    `read` is what was read of it before: where it is still that, it is changed without another look.
    """
    for _ in _attempts(store, key):
        is_old, (found, etag) = read is not None, read or read_master(store, key, parse)
        read, old = None, found if found is not None else empty
        new = change(old)
        if new == old:
            if is_old:
                continue
            return old, []
        content = new.dumps().encode()
        if store.swap(key, content, etag=etag, content_type=SIMPLE_JSON, generation=new.generation):
            store.keep(key, content)
            return new, [key]
    raise AssertionError  # _attempts raises first


def mend(
    store: Store,
    key: str,
    parse: Callable[[bytes], M],
    known: M,
    derive: Callable[[M], Iterable[Page]],
    new: Collection[str] = (),
) -> list[str]:
    """Write the pages that are not as the master has them.

    A page is looked at before the master and swapped after it, so whoever replaces a page knows a master at least as
    new as the one that the page was made from: pages only move forward, in any interleaving of writers. Where the
    store says which generation a page is of, an older one needs no second look at the master. Nobody looks first for
    pages that are `new`: they are written on the condition that they are not there.
    """
    written: list[str] = []
    pages = {page: (content, content_type) for page, content, content_type in derive(known)}
    for attempt in _attempts(store, key):
        before = _tags(store, pages, new if not attempt else (), trust_twins=not attempt)
        if all(_is_page(before[page], content) for page, (content, _) in pages.items()):
            return written
        if attempt or not all(_is_older(tag, known.generation) for tag in before.values()):
            master, _etag = read_master(store, key, parse)
            if master is None:
                return written
            known = master
            pages = {page: (content, content_type) for page, content, content_type in derive(known)}
            if not set(pages) <= set(before):
                continue  # pages that were not known yet: look at them before the master, too
        for page, (content, content_type) in pages.items():
            tag = before[page]
            etag = tag.etag if tag is not None else None
            if not _is_page(tag, content) and store.swap(
                page, content, etag=etag, content_type=content_type, generation=known.generation
            ):
                written.append(page)
                before[page] = Stat(len(content), hashlib.sha256(content).hexdigest())
        if all(_is_page(before[page], content) for page, (content, _) in pages.items()):
            return written
    raise AssertionError  # _attempts raises first


def _tags(
    store: Store, pages: Mapping[str, tuple[bytes, str]], new: Collection[str], *, trust_twins: bool
) -> dict[str, Stat | None]:
    """Look at pages; with `trust_twins` one that has the bytes of an old page under another key is taken for it too.

    It is swapped by the other one's tag then, which fails where they differ, and at the next try it is looked at.
    """
    found: dict[str, Stat | None] = {page: None for page in new if page in pages}
    for page, (content, _) in pages.items():
        if page in found:
            continue
        twin = next((other for other in found if pages[other][0] is content), None)
        is_old = twin is not None and not _is_page(found[twin], content)
        found[page] = found[twin] if twin is not None and is_old and trust_twins else store.tag(page)
    return found


def _is_page(tag: Stat | None, content: bytes) -> bool:
    return tag is not None and tag.sha256 == hashlib.sha256(content).hexdigest()


def _is_older(tag: Stat | None, generation: int) -> bool:
    return tag is None or (tag.generation is not None and tag.generation <= generation)


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
