"""Repository: the place that generic wheels and sdists go to, an index server or, for trying things out, a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from msgspec.structs import replace

from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload, send, update_project
from variant_publish.index.masters import read_index
from variant_publish.progress import Advance
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import CreateOutcome, ignore


class Repository(Protocol):
    """Take files one by one, for good, and show them on an index of its own."""

    def describe(self) -> str:
        """Name the repository for people, without credentials."""
        ...

    def preflight(self, paths: Sequence[Path]) -> None:
        """Raise VariantPublishError unless an upload of these files could begin."""

    def project_url(self, project: str) -> str | None:
        """Return the address of the project's own page, where it has one that others can read (PEP 708)."""
        ...

    def existing(self, project: str) -> tuple[IndexFile, ...] | None:
        """Return the files that the repository shows, or None where it cannot be asked."""
        ...

    def upload(self, upload: Upload, advance: Advance = ...) -> CreateOutcome:
        """Send one file, or find it there with the same bytes; raise VariantPublishError where it is refused."""
        ...

    def listed(self, project: str, expected: Mapping[str, str], deadline_s: float) -> tuple[IndexFile, ...]:
        """Return the entries of the files (name -> SHA-256) with addresses that can stand on the extra index's page.

        Waits until all are shown, at most `deadline_s` seconds; files not shown then are left out. Raises Conflict
        where one is shown with another hash.
        """
        ...

    def close(self) -> None:
        """Close connections; the next use opens them again."""


class FolderRepository:
    """Keep generic wheels in a folder with a simple index of its own, so that a demonstration needs no server.

    `page_folder` is the root of the extra index where that is a folder too: links are then relative to its pages.
    """

    def __init__(self, folder: Path, page_folder: Path | None = None) -> None:
        self.store = LocalStore(folder)
        self.page_folder = page_folder

    def describe(self) -> str:
        """Name the folder."""
        return self.store.describe()

    def preflight(self, paths: Sequence[Path]) -> None:
        """Raise UsageError unless files can be written."""
        self.store.preflight()

    def project_url(self, project: str) -> str | None:
        """Return None: nobody else reads a folder."""
        return None

    def existing(self, project: str) -> tuple[IndexFile, ...] | None:
        """Return what the folder's own index lists."""
        index = read_index(self.store, project)
        return index.files if index is not None else ()

    def upload(self, upload: Upload, advance: Advance = ignore) -> CreateOutcome:
        """Copy the file and list it."""
        outcome = send(self.store, upload, advance)
        update_project(self.store, upload.project, [upload.entry])
        return outcome

    def listed(self, project: str, expected: Mapping[str, str], deadline_s: float) -> tuple[IndexFile, ...]:
        """Return the entries with links to the files in the folder."""
        return tuple(
            replace(file, url=self._link(project, file)) for file in self.existing(project) or ()
            if file.filename in expected
        )  # fmt: skip

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _link(self, project: str, file: IndexFile) -> str:
        target = (self.store.folder / project).resolve()
        if self.page_folder is not None:
            page = (self.page_folder / project).resolve()
            if target.drive == page.drive:
                return f"{quote(Path(os.path.relpath(target, page)).as_posix())}/{file.url}"
        return f"{target.as_uri()}/{file.url}"
