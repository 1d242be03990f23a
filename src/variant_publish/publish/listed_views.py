"""Views of a release whose wheels lie on the extra index and not on this machine: staged, or promoted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from contextlib import ExitStack, contextmanager

from packaging.version import Version

from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.formats.stage_state import StagedFile
from variant_publish.index.index import Upload
from variant_publish.index.masters import read_index
from variant_publish.index.yank import yank
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.built_once import SentBuilds
from variant_publish.publish.destinations import Destinations, opened_store
from variant_publish.publish.static_view import by_view, is_made_of
from variant_publish.publish.upload_plan import UploadPlan
from variant_publish.publish.verified_files import Claim, verified
from variant_publish.publish.view_apply import PublishedView, publish_views
from variant_publish.publish.view_places import place_of_view
from variant_publish.publish.views import ViewPlan, plan_views
from variant_publish.release.release import Release
from variant_publish.store.keys import key_of
from variant_publish.store.stored_file import StoredFile


def publish_listed_views(
    plan: UploadPlan,
    config: Config,
    destinations: Destinations,
    reporter: Reporter = SILENT,
    staged: UploadTable | None = None,
) -> tuple[PublishedView, ...]:
    """Bring the views to what the extra index has of a release, one variant at a time; none where they have no place.

    The wheels of a variant are read from the extra index for as long as their view takes, and only where it lacks one.
    Those that the views of a stage, which `staged` places, have with the same bytes are copied from there.
    """
    main = read_index(destinations.store, plan.project)
    if destinations.settings.views is None or main is None:
        return ()
    empty = Release(plan.files.project, Version(plan.version), (), config)
    done: list[PublishedView] = []
    for name, wheels in _variants(empty, main).items():
        if not _is_there(empty, name, wheels.keys(), destinations.settings, main):
            entries = {entry.filename: entry for entry, _ in wheels.values()}
            done += _publish(empty, name, entries.values(), destinations, reporter, staged)
    return tuple(done)


def yank_in_views(
    index: ProjectIndex, settings: UploadTable, targets: tuple[str, ...], reason: str | None
) -> Iterator[str]:
    """Yank in the views of an index what `targets`, versions or file names, are there; yield the pages written."""
    for version, views in index.views.items() if settings.views is not None else ():
        chosen = {
            file.filename for file in index.distributions
            if version_of(file.filename) == version and not {file.filename, version}.isdisjoint(targets)
        }  # fmt: skip
        for name in views if chosen else ():
            with opened_store(place_of_view(settings, name), settings.endpoint_url) as store:
                listed = read_index(store, index.name)
                names = {file.filename for file in listed.distributions} if listed is not None else set()
                found = [file for file in names if file in chosen or is_made_of(file, version, chosen, index)]
                if found:
                    yield from yank(store, index.name, sorted(found), reason).written


def _variants(release: Release, main: ProjectIndex) -> dict[str, dict[str, tuple[IndexFile, tuple[str, ...]]]]:
    """Return the wheels that views are made of, by the name of the view and their names in it, see `by_view`."""
    hosted = [file for file in main.distributions if file.is_hosted and file.filename.endswith(".whl")]
    own = (file for file in hosted if version_of(file.filename) == str(release.version))
    return by_view(release, ((WheelName.parse(file.filename), file) for file in own))


def _is_there(release: Release, name: str, wanted: Set[str], settings: UploadTable, main: ProjectIndex) -> bool:
    """Return whether a view has every wheel of the release already, and the extra index names it."""
    with opened_store(place_of_view(settings, name), settings.endpoint_url) as store:
        listed = read_index(store, release.project)
    there = {file.filename for file in listed.distributions} if listed is not None else set()
    return wanted <= there and name in main.views.get(str(release.version), {})


def _publish(
    empty: Release,
    name: str,
    entries: Collection[IndexFile],
    destinations: Destinations,
    reporter: Reporter,
    staged: UploadTable | None,
) -> tuple[PublishedView, ...]:
    claims = {StagedFile(empty.project, entry.filename): Claim(entry.size or 0, entry.sha256) for entry in entries}
    with verified(destinations.store, claims, claims.keys(), reporter) as files:
        wheels = tuple(WholeWheel.read(path) for path in files.local.values())
        release = Release(empty.project, empty.version, wheels, empty.config)
        main = read_index(destinations.store, empty.project)
        plans = plan_views(release, destinations.settings, set(), main, reporter)
        plans = tuple(plan for plan in plans if plan.name == name)
        with _staged_copies(plans, staged) as copies:
            builds = SentBuilds(destinations.store, copies=copies)
            for entry in entries:
                path = files.local[StagedFile(empty.project, entry.filename)]
                builds.add(Upload(empty.project, path, entry), is_sent=True)
            return publish_views(plans, destinations, builds, reporter)


@contextmanager
def _staged_copies(plans: Iterable[ViewPlan], staged: UploadTable | None) -> Iterator[dict[str, StoredFile]]:
    """Yield the wheels of views that a stage has with the bytes that are planned, by their names."""
    found: dict[str, StoredFile] = {}
    if staged is None or staged.views is None:
        yield found
        return
    with ExitStack() as opened:
        for plan in plans:
            store = opened.enter_context(opened_store(place_of_view(staged, plan.name), staged.endpoint_url))
            for item in plan.own:
                key = key_of(plan.release.project, item.entry.filename)
                if (stat := store.stat(key)) is not None:
                    stored = StoredFile(store, key, stat)
                    if stored.has(item.placement.size, item.entry.sha256):
                        found[item.entry.filename] = stored
        yield found
