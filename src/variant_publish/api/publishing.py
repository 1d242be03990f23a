"""For maintainers: write the selector files, plan and carry out an upload, or promote what another index has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.index.commands import view_command
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened, opened_store
from variant_publish.publish.listed_views import publish_listed_views
from variant_publish.publish.promotion import Promotion, files_of
from variant_publish.publish.upload_plan import UploadPlan, plan_files, plan_release
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.publish.view_places import views_address
from variant_publish.publish.views import view_names
from variant_publish.release.release import Release, load
from variant_publish.release.selectors import of_release


class MetadataResult(msgspec.Struct, frozen=True):
    """The selector files of the releases: which are current on disk, and which were (or would be) written.

    `commands` are, for each variant that has a view, its name and how users of plain pip install it.
    """

    current: tuple[Path, ...]
    outdated: tuple[Path, ...]
    commands: tuple[tuple[str, str], ...] = ()


def metadata(
    places: Sequence[Path], folder: Path, config: Config, *, write: bool = True, reporter: Reporter = SILENT
) -> MetadataResult:
    """Write the selector files of every release in the places into `folder`; with `write=False` only compare.

    Raises the error of a wheel that cannot be read: a file that leaves one out would be wrong.
    """
    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    current, outdated, commands = [], [], []
    for release in loaded.releases:
        commands += _view_commands(release)
        texts = of_release(release, reporter).texts(release.project, str(release.version))
        for name, text in texts.items():
            path = folder / name
            if path.exists() and path.read_bytes() == text.encode():
                current.append(path)
                continue
            outdated.append(path)
            if write:
                with replacing(path) as stream:
                    stream.write(text.encode())
    return MetadataResult(tuple(current), tuple(outdated), tuple(commands))


def _view_commands(release: Release) -> list[tuple[str, str]]:
    upload = release.config.upload
    if upload.views is None:
        return []
    address = views_address(upload)
    if not address:
        return []
    return [(name, view_command(release.project, f"{address}/{name}")) for name in view_names(release)]


def plan_upload(
    places: Sequence[Path], config: Config, settings: UploadTable, reporter: Reporter = SILENT
) -> tuple[UploadPlan, ...]:
    """Ask the destinations what they have, and plan the upload of every release in the places; nothing is sent.

    `settings` are the configuration's with what the call overrides. Raises the error of a wheel that cannot be read,
    or Conflict where a name is taken by other bytes.
    """
    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    with opened(settings) as destinations:
        return tuple(plan_release(release, destinations, reporter) for release in loaded.releases)


def upload(plan: UploadPlan, reporter: Reporter = SILENT) -> UploadResult:
    """Carry out one planned upload; running it again finishes what was cut off, and else changes nothing."""
    with opened(plan.settings) as destinations:
        return publish(plan, destinations, reporter)


class PlannedPromotion(msgspec.Struct, frozen=True):
    """What goes from the index `origin` to the destinations that `settings` name: one plan for each project."""

    origin: str
    config: Config
    settings: UploadTable
    plans: tuple[UploadPlan, ...]

    def __bool__(self) -> bool:
        return any(plan.changes for plan in self.plans)


def plan_promotion(
    releases: Sequence[tuple[str, str]],
    origin: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
) -> PlannedPromotion:
    """Plan to promote the `releases`, (name, version) of each, from the index `origin`; reads only.

    `settings` name the destinations. Raises UsageError for a release that the origin does not have, and Conflict where
    a name is taken by other bytes; then nothing of any of them is to be promoted.
    """
    if origin.rstrip("/") == settings.extra_index.rstrip("/"):
        raise UsageError(f"{origin} is promoted to itself", hint="name two indexes: --extra-index FROM --to PLACE")
    with opened(settings) as destinations, opened_store(origin, settings.endpoint_url) as store:
        found = [files_of(store, name, version) for name, version in releases]
        plans = tuple(plan_files(files, destinations, reporter, copies=True) for files in found)
    return PlannedPromotion(origin, config, settings, plans)


def promote(planned: PlannedPromotion, reporter: Reporter = SILENT) -> tuple[UploadResult, ...]:
    """Carry out a promotion: copies on the store, pages by compare-and-swap, the repository's share, views.

    Every file that moves is read once and compared with the origin's index before anything is listed. Running it again
    finishes what was cut off. Raises FalseClaim where a file is not what its index says.
    """
    settings = planned.settings
    with opened(settings) as destinations, opened_store(planned.origin, settings.endpoint_url) as store:
        results = Promotion(store, planned.plans).run(destinations, reporter)
        return tuple(
            msgspec.structs.replace(result, views=publish_listed_views(plan, planned.config, destinations, reporter))
            for result, plan in zip(results, planned.plans, strict=True)
        )
