"""Publish views: the wheels first, then the pages; the extra index names a view when it is there."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from variant_publish.archive.retag import Rewrite, retag
from variant_publish.dialects.registry import dialect_of
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import ProjectIndex
from variant_publish.index.index import Upload, change_project, read_index, send, update_project
from variant_publish.index.project_page import view_command
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.plan import Action
from variant_publish.publish.preflight import check_public_url
from variant_publish.publish.view_places import linked
from variant_publish.publish.views import OwnFile, View, links_of
from variant_publish.release.release import Release
from variant_publish.store.store import Outcome, Store


@dataclass(frozen=True, slots=True)
class PublishedView:
    """What became of one view of a project: file names sent and found there, keys of pages written."""

    project: str
    name: str
    address: str
    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    pages: tuple[str, ...]

    @property
    def command(self) -> str:
        """Return the command by which users install from the view."""
        return view_command(self.project, self.address)

    @property
    def changed(self) -> bool:
        """Return whether anything was sent or written."""
        return bool(self.sent or self.pages)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "view": self.name,
            "url": self.address or None,
            "sent": list(self.sent),
            "skipped": list(self.skipped),
            "pages": list(self.pages),
        }


def preflight(views: Iterable[View], reporter: Reporter = SILENT) -> None:
    """Raise VariantPublishError unless each view that changes could be written; warn where users could not read it."""
    for view in views:
        if view.changes:
            sizes = [item.placement.size for item in view.own if item.placement.action is Action.UPLOAD]
            view.store.preflight(max(sizes, default=0))
            if view.address:
                check_public_url(view.store, view.address, reporter)


def publish_views(
    views: Iterable[View],
    release: Release,
    store: Store,
    *,
    upload_time: str,
    tracks: tuple[str, ...] = (),
    reporter: Reporter = SILENT,
) -> tuple[PublishedView, ...]:
    """Bring the views to what the extra index in `store` has of the release, and name them on its page.

    Files first, then the pages of each view; the extra index names a view when it is there. The same run again changes
    nothing. Raises VariantPublishError at the first file that is refused; what was sent stays.
    """
    views = tuple(views)
    if not views:
        return ()
    done = []
    try:
        main = read_index(store, release.project)
        for view in views:
            done.append(_publish_view(view, release, main, upload_time, tracks, reporter))  # noqa: PERF401
        if main is not None:
            version, found = str(release.version), {view.name: view.address for view in done}
            mentioned = change_project(store, release.project, lambda index: _naming(index, version, found))
            if mentioned.written:
                done[-1] = replace(done[-1], pages=(*done[-1].pages, *mentioned.written))
    finally:
        store.close()
        for view in views:
            view.store.close()
    return tuple(done)


def _publish_view(
    view: View,
    release: Release,
    main: ProjectIndex | None,
    upload_time: str,
    tracks: tuple[str, ...],
    reporter: Reporter,
) -> PublishedView:
    sent: list[str] = []
    skipped: list[str] = []
    for item in view.own:
        outcome = Outcome.ALREADY_THERE
        if item.placement.action is Action.UPLOAD:
            with (
                _file_of(item, view.local) as path,
                reporter.track(item.entry.filename, path.stat().st_size) as advance,
            ):
                outcome = send(view.store, Upload(release.project, path, item.entry, item.metadata), advance)
        (sent if outcome is Outcome.CREATED else skipped).append(item.entry.filename)
    entries = [replace(item.entry, upload_time=upload_time) for item in view.own]
    listed = read_index(view.store, release.project)
    known = {file.filename: file for file in main.distributions} if main is not None else {}
    names = links_of(known.values(), release, view.own, listed)
    links = [linked(known[name], view.base) for name in names]
    updated = update_project(
        view.store,
        release.project,
        [*entries, *links],
        version=str(release.version),
        tracks=tracks,
        public_url=view.address,
    )
    return PublishedView(release.project, view.name, view.address, tuple(sent), tuple(skipped), updated.written)


@contextmanager
def _file_of(item: OwnFile, local: str) -> Iterator[Path]:
    """Return the file of a wheel: the one that is there, or a raw copy under the other name for as long as it takes."""
    if not item.is_made:
        yield item.source.path
        return
    with tempfile.TemporaryDirectory(prefix="variant-publish-") as folder:
        try:
            made = retag(item.source.path, Path(folder), Rewrite(dialect_of("local"), (local,)))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise VariantPublishError(
                f"{tempfile.gettempdir()} has no room for {item.entry.filename} on its way to a view",
                hint="make room there, or set TMPDIR to a folder on a larger disk",
            ) from error
        yield made.path


def _naming(index: ProjectIndex, version: str, views: Mapping[str, str]) -> ProjectIndex:
    """Return the extra index with the views of a version named; a known address stays where none is given."""
    old = index.views.get(version, {})
    new = {**old, **{name: address or old.get(name, "") for name, address in views.items()}}
    return index.changed(views={**index.views, version: new})
