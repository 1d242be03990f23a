"""Publish views: the wheels first, then the pages; the extra index names a view when it is there."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.archive.retag import retag
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.index.commands import view_command
from variant_publish.index.index import ProjectFacts, Upload, change_project, send, update_project
from variant_publish.index.masters import read_index
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.built_once import SentBuilds
from variant_publish.publish.destinations import Destinations, opened_store
from variant_publish.publish.placement import Transfer
from variant_publish.publish.public_url import fault_of_public_url
from variant_publish.publish.uploads import upload_time
from variant_publish.publish.view_places import linked
from variant_publish.publish.views import OwnFile, ViewPlan, links_of
from variant_publish.release.release import Release
from variant_publish.store.objects import CreateOutcome
from variant_publish.store.store import Store


class PublishedView(msgspec.Struct, frozen=True):
    """What became of one view of a project: file names sent and found there, keys of pages written.

    `fault` says why users cannot read it, "" if they can.
    """

    project: str
    name: str
    address: str
    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    pages: tuple[str, ...]
    fault: str = ""

    @property
    def command(self) -> str:
        """Return the command by which users install from the view; "" where its address is not known."""
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
    main = read_index(destinations.store, release.project)
    for view in views:
        with opened_store(view.place, destinations.settings.endpoint_url) as store:
            publisher = _ViewPublisher(view, store, main, builds, reporter)
            done.append(publisher.publish(_tracks(destinations, release)))
    if main is not None:
        version, found = str(release.version), {view.name: view.address for view in done}
        mentioned = change_project(destinations.store, release.project, lambda index: _naming(index, version, found))
        if mentioned.written:
            done[-1] = replace(done[-1], pages=(*done[-1].pages, *mentioned.written))
    return tuple(done)


class _ViewPublisher(msgspec.Struct, frozen=True):
    """Bring one view to its plan."""

    view: ViewPlan
    store: Store
    main: ProjectIndex | None
    builds: SentBuilds
    reporter: Reporter

    def publish(self, tracks: tuple[str, ...]) -> PublishedView:
        view, project = self.view, self.view.release.project
        sent: list[str] = []
        skipped: list[str] = []
        for item in view.own:
            (sent if self._send(item) is CreateOutcome.CREATED else skipped).append(item.entry.filename)
        entries = [replace(item.entry, upload_time=upload_time()) for item in view.own]
        listed = read_index(self.store, project)
        known = {file.filename: file for file in self.main.distributions} if self.main is not None else {}
        names = links_of(known.values(), view.release, view.name, view.own, listed)
        links = [linked(known[name], view.base) for name in names]
        updated = update_project(
            self.store,
            project,
            [*entries, *links],
            version=str(view.release.version),
            facts=ProjectFacts(tracks, view.address),
        )
        own = [item.entry for item in view.own]
        fault = fault_of_public_url(self.store, view.address, project, own) if view.address else ""
        return PublishedView(project, view.name, view.address, tuple(sent), tuple(skipped), updated.written, fault)

    def _send(self, item: OwnFile) -> CreateOutcome:
        if item.placement.transfer is not Transfer.UPLOAD:
            return CreateOutcome.ALREADY_THERE
        with (
            _file_of(item) as path,
            self.reporter.track(item.entry.filename, path.stat().st_size) as advance,
        ):
            upload = Upload(self.view.release.project, path, item.entry, item.metadata)
            return send(self.store, upload, advance, self.builds.made_of(item.source.filename, path))


def _tracks(destinations: Destinations, release: Release) -> tuple[str, ...]:
    repository = destinations.repository
    tracked = repository.project_url(release.project) if repository is not None else None
    return (tracked,) if tracked else ()


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
