"""A build that is published under several names is sent once: the store makes the others of the first one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from variant_publish.index.index import Upload
from variant_publish.store.keys import key_of
from variant_publish.store.objects import content_type_of
from variant_publish.store.store import Store
from variant_publish.store.stored_file import SplicedFile, StoredFile, spliced

WORTH_IT = 16 * 1024 * 1024
"""Bytes of a file; smaller ones are sent as fast as they are copied."""


class SentBuilds(msgspec.Struct):
    """What a store has of the builds of one release, `builds`: file name -> the build that it is of."""

    store: Store
    builds: Mapping[str, str] = {}
    copies: Mapping[str, StoredFile] = {}
    """File name -> the very file in another store."""

    _files: dict[str, Upload] = {}
    _first: dict[str, Upload] = {}
    _compared: set[str] = set()

    def add(self, upload: Upload, *, is_sent: bool) -> None:
        """Note a file that the store has; one that was not sent by this run is compared before it is used."""
        filename = upload.entry.filename
        self._files[filename] = upload
        if build := self.builds.get(filename):
            self._first.setdefault(build, upload)
        if is_sent:
            self._compared.add(filename)

    def another_name_of(self, upload: Upload) -> SplicedFile | None:
        """Return a file as one that begins like the same build under another name; None where the store has none."""
        twin = self._first.get(self.builds.get(upload.entry.filename, ""))
        return self.made_of(twin.entry.filename, upload.path) if twin is not None else None

    def made_of(self, filename: str, path: Path) -> SplicedFile | None:
        """Return a file that was made of another one as one that begins like it; None where the store lacks that."""
        base = self._files.get(filename)
        if base is None or path.stat().st_size < WORTH_IT or not base.path.exists():
            return None
        key = key_of(base.project, filename)
        if filename not in self._compared:
            self.store.create(key, base.path, sha256=base.entry.sha256, content_type=content_type_of(key))
            self._compared.add(filename)
        return spliced(path, base.path, StoredFile.of(self.store, key))
