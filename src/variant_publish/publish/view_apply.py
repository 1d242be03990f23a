"""Publish views: the wheels first, then the pages; the extra index names a view when it is there."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from packaging.version import Version

from variant_publish.archive.retag import retag
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.index.commands import view_command
from variant_publish.index.index import ProjectFacts, Upload, change_project, send, update_project
from variant_publish.index.masters import read_index, read_tagged
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.built_once import SentBuilds
from variant_publish.publish.destinations import Destinations, opened_store
from variant_publish.publish.placement import Transfer
from variant_publish.publish.static_view import links_of
from variant_publish.publish.uploads import upload_time
from variant_publish.publish.view_places import base_of_links, linked, place_of_view
from variant_publish.publish.views import OwnFile, ViewPlan
from variant_publish.store.objects import CreateOutcome
from variant_publish.store.store import Store


class PublishedView(msgspec.Struct, frozen=True):
    """What became of one view of a project: file names sent, copied on the store, found there; keys of pages written.

    `fault` says why users cannot read it, "" if they can.
    """

    project: str
    name: str
    address: str
    sent: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    fault: str = ""

    @property
    def command(self) -> str:
        """Return the command by which users install from the view; "" where they cannot."""
        return "" if self.fault else view_command(self.project, self.address)

    @property
    def changed(self) -> bool:
        """Return whether anything was sent or written."""
        return bool(self.sent or self.copied or self.pages)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        files = {name: list(getattr(self, name)) for name in ("sent", "copied", "skipped", "pages")}
        return {"view": self.name, "url": self.address or None, **files}


def preflight(views: Iterable[ViewPlan], settings: UploadTable) -> None:
    """Raise VariantPublishError unless each view that changes could be written."""
    for view in views:
        if view.changes:
            sizes = [item.placement.size for item in view.own if item.placement.transfer is Transfer.UPLOAD]
            with opened_store(view.place, settings.endpoint_url) as store:
                store.preflight(max(sizes, default=0))


def publish_views(
    views: Iterable[ViewPlan], destinations: Destinations, builds: SentBuilds, reporter: Reporter = SILENT
) -> tuple[PublishedView, ...]:
    """Bring the views to what the extra index has of the release, and name them on its page.

    Files first, then the pages of each view; the extra index names a view when it is there. The same run again changes
    nothing. Raises VariantPublishError at the first file that is refused; what was sent stays.
    """
    views = tuple(views)
    if not views:
        return ()
    done, release = [], views[0].release
    project, version = release.project, str(release.version)
    main, tag = read_tagged(destinations.store, project)
    for view in views:
        with opened_store(view.place, destinations.settings.endpoint_url) as store:
            done.append(_ViewPublisher(view, store, destinations, builds, reporter).publish(main))
    if main is not None:
        found = {view.name: view.address for view in done}
        named = change_project(
            destinations.store, project, lambda index: _naming(index, version, found), read=(main, tag)
        )
        pages = (*done[-1].pages, *named.written)
        if named.index.files != main.files:  # another job listed more meanwhile
            pages += tuple(relinked(found, project, version, destinations))
        done[-1] = replace(done[-1], pages=pages)
    return tuple(done)


def relinked(names: Iterable[str], project: str, version: str, destinations: Destinations) -> Iterator[str]:
    """Link in views what the extra index has of a release by now, and yield the pages that were written.

    Jobs publish at the same time: whoever lists files looks for views after it, and whoever makes a view looks for
    files after it, so that neither misses the other.
    """
    settings, names = destinations.settings, sorted(names)
    main = read_index(destinations.store, project) if names and settings.views is not None else None
    for name in names if main is not None else ():
        with opened_store(place_of_view(settings, name), settings.endpoint_url) as store:
            listed, tag = read_tagged(store, project)
            if listed is not None:  # else it lies elsewhere
                links = _links(main, listed, (name, version), (), base_of_links(settings, name, project))
                facts = ProjectFacts(version, read=(listed, tag))
                yield from update_project(store, project, links, facts).written


def _links(
    main: ProjectIndex | None,
    listed: ProjectIndex | None,
    view: tuple[str, str],
    own: Iterable[IndexFile],
    base: str | None,
) -> list[IndexFile]:
    """Return the links of a view, (name, version), to the files of the extra index."""
    known = {file.filename: file for file in (main.distributions if main is not None else ())}
    name, version = view
    return [linked(known[file], base) for file in links_of(known.values(), Version(version), name, own, listed)]


class _ViewPublisher(msgspec.Struct, frozen=True):
    """Bring one view to its plan."""

    view: ViewPlan
    store: Store
    destinations: Destinations
    builds: SentBuilds
    reporter: Reporter

    def publish(self, main: ProjectIndex | None) -> PublishedView:
        view, project = self.view, self.view.release.project
        done: dict[str, list[str]] = {"sent": [], "copied": [], "skipped": []}
        for item in view.own:
            done[self._send(item)].append(item.entry.filename)
        entries = [replace(item.entry, upload_time=upload_time()) for item in view.own]
        version = str(view.release.version)
        listed, tag = read_tagged(self.store, project)
        links = _links(main, listed, (view.name, version), entries, view.base)
        tracks = self.destinations.tracked(project)
        facts = ProjectFacts(version, tracks=tracks, public_url=view.address, read=(listed, tag))
        updated = update_project(self.store, project, [*entries, *links], facts)
        fault = self.destinations.fault(self.store, view.address, project, [item.entry for item in view.own])
        if fault:
            self.reporter.warn(fault)
        files = {name: tuple(names) for name, names in done.items()}
        return PublishedView(project, view.name, view.address, **files, pages=updated.written, fault=fault)

    def _send(self, item: OwnFile) -> str:
        """Bring a wheel there, and return what became of it: "sent", "copied" or "skipped"."""
        if item.placement.transfer is not Transfer.UPLOAD:
            return "skipped"
        name, copy = item.entry.filename, self.builds.copies.get(item.entry.filename)
        whole = nullcontext(item.source.path) if copy is not None else _file_of(item)
        with whole as path, self.reporter.track(name, item.placement.size) as advance:
            upload = Upload(self.view.release.project, path, item.entry, item.metadata)
            outcome = send(self.store, upload, advance, copy or self.builds.made_of(item.source.filename, path))
        if outcome is not CreateOutcome.CREATED:
            return "skipped"
        return "copied" if copy is not None else "sent"


@contextmanager
def _file_of(item: OwnFile) -> Iterator[Path]:
    """Return the file of a wheel: the one that is there, or a raw copy under the other name for as long as it takes."""
    if not item.is_made:
        yield item.source.path
        return
    with tempfile.TemporaryDirectory(prefix="variant-publish-") as folder:
        try:
            made = retag(item.source.path, Path(folder), item.rewrite)
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
