"""Views of a release whose wheels lie on the extra index and not on this machine: staged, or promoted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set

from msgspec.structs import replace
from packaging.utils import NormalizedName
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
from variant_publish.publish.uploader import UploadResult
from variant_publish.publish.verified_files import Claim, verified
from variant_publish.publish.view_apply import PublishedView, publish_views
from variant_publish.publish.view_places import place_of_view
from variant_publish.publish.views import plan_views
from variant_publish.release.release import Release


def publish_listed_views(
    project: NormalizedName, version: Version, config: Config, destinations: Destinations, reporter: Reporter = SILENT
) -> tuple[PublishedView, ...]:
    """Bring the views to what the extra index has of a release, one variant at a time; none where they have no place.

    The wheels of a variant are read from the extra index for as long as their view takes, and only where it lacks one.
    """
    main = read_index(destinations.store, project)
    if destinations.settings.views is None or main is None:
        return ()
    empty = Release(project, version, (), config)
    done: list[PublishedView] = []
    for name, wheels in _variants(empty, main).items():
        if not _is_there(empty, name, wheels.keys(), destinations.settings, main):
            entries = {entry.filename: entry for entry, _ in wheels.values()}
            done += _publish(empty, name, entries.values(), destinations, reporter)
    return tuple(done)


def with_listed_views(
    result: UploadResult, plan: UploadPlan, config: Config, destinations: Destinations, reporter: Reporter = SILENT
) -> UploadResult:
    """Publish the views of what a plan has listed, and return its result with theirs."""
    views = publish_listed_views(plan.files.project, Version(plan.version), config, destinations, reporter)
    return replace(result, views=views)


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
    empty: Release, name: str, entries: Collection[IndexFile], destinations: Destinations, reporter: Reporter
) -> tuple[PublishedView, ...]:
    claims = {StagedFile(empty.project, entry.filename): Claim(entry.size or 0, entry.sha256) for entry in entries}
    with verified(destinations.store, claims, claims.keys(), reporter) as files:
        builds = SentBuilds(destinations.store, {})
        for entry in entries:
            path = files.local[StagedFile(empty.project, entry.filename)]
            builds.add(Upload(empty.project, path, entry), is_sent=True)
        wheels = tuple(WholeWheel.read(path) for path in files.local.values())
        release = Release(empty.project, empty.version, wheels, empty.config)
        main = read_index(destinations.store, empty.project)
        plans = plan_views(release, destinations.settings, set(), main, reporter)
        return publish_views([plan for plan in plans if plan.name == name], destinations, builds, reporter)
