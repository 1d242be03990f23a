"""The texts of selector files on a store: under their hashes, where no update overwrites them."""

from __future__ import annotations

import hashlib

from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import SELECTORS, ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.store.keys import key_of
from variant_publish.store.objects import content_type_of, ignore
from variant_publish.store.store import Store


class SelectorTexts:
    """Read and write texts of selector files; each is read once and held to its hash."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: dict[str, str] = {}
        self.new: set[str] = set()
        """Keys of the plain-named copies of texts that no index had."""

    def of(self, index: ProjectIndex, version: str) -> dict[str, str]:
        """Return the texts of a version by file name; raise VariantPublishError where one is lost."""
        return {name: self._text(index.name, entry) for name, entry in index.selector_entries(version).items()}

    def create(self, project: str, entry: IndexFile, text: str, *, is_new: bool) -> None:
        """Write a text under its hash, before any page names it."""
        self.known[entry.sha256] = text
        if is_new:
            self.new.add(key_of(project, entry.filename))
        key = _key(project, entry)
        self.store.create(key, text.encode(), sha256=entry.sha256, content_type=content_type_of(key), advance=ignore)

    def _text(self, project: str, entry: IndexFile) -> str:
        if entry.sha256 not in self.known:
            found = (self.store.read(key) for key in (_key(project, entry), key_of(project, entry.filename)))
            contents = (stored.content for stored in found if stored is not None)
            content = next((it for it in contents if hashlib.sha256(it).hexdigest() == entry.sha256), None)
            if content is None:
                raise VariantPublishError(
                    f"{self.store.describe()}: {project}/{entry.filename} is lost",
                    hint="restore it from a version of the object, or yank the release and publish another",
                )
            self.known[entry.sha256] = content.decode("utf-8")
        return self.known[entry.sha256]


def _key(project: str, entry: IndexFile) -> str:
    return key_of(project, SELECTORS, entry.sha256[:16], entry.filename)
