"""For maintainers: write the selector files, plan and carry out an upload.

Each function imports the room that does its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Release, load

if TYPE_CHECKING:
    from variant_publish.publish.apply import Published
    from variant_publish.publish.plan import Plan
    from variant_publish.publish.repository import Repository
    from variant_publish.publish.views import View
    from variant_publish.release.selectors import SelectorFiles
    from variant_publish.store.store import Store

__all__ = [
    "MetadataResult",
    "PlannedUpload",
    "metadata",
    "plan_upload",
    "upload",
]


@dataclass(frozen=True, slots=True)
class MetadataResult:
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
    from variant_publish.release.selectors import of_release

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
    from variant_publish.index.project_page import view_command
    from variant_publish.publish.view_places import views_address
    from variant_publish.publish.views import view_names

    address = views_address(upload)
    return [
        (name, view_command(release.project, f"{address}/{name}" if address else "")) for name in view_names(release)
    ]


@dataclass(frozen=True)
class PlannedUpload:
    """What `upload` will do with one release, and the places that it was planned for.

    Wheels of dialect local are the views' alone: `release` has them, and `plan` has not.
    """

    release: Release
    plan: Plan
    selector_files: SelectorFiles
    store: Store
    repository: Repository | None
    public_url: str | None = None
    views: tuple[View, ...] = ()

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {**self.plan.table(), "views": [view.table() for view in self.views]}


def plan_upload(
    places: Sequence[Path], config: Config, settings: UploadTable, reporter: Reporter = SILENT
) -> tuple[PlannedUpload, ...]:
    """Ask the destinations what they have, and plan the upload of every release in the places; nothing is sent.

    `settings` are the configuration's with what the call overrides. Raises the error of a wheel that cannot be read,
    or Conflict where a name is taken by other bytes.
    """
    from variant_publish.index.index import read_index
    from variant_publish.publish.apply import plan_release
    from variant_publish.publish.destinations import open_repository, open_store
    from variant_publish.publish.views import check_local_wheels, plan_views
    from variant_publish.release.selectors import of_release

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    planned = []
    for release in loaded.releases:
        check_local_wheels(release, settings)
        store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
        repository = open_repository(settings)
        selector_files = of_release(release, reporter)
        plan = plan_release(release.for_installers(), settings, store, repository, selector_files, reporter)
        listed = read_index(store, release.project) if settings.views is not None else None
        views = plan_views(release, settings, plan, listed, reporter)
        planned.append(PlannedUpload(release, plan, selector_files, store, repository, settings.public_url, views))
    return tuple(planned)


def upload(planned: PlannedUpload, reporter: Reporter = SILENT) -> Published:
    """Carry out one planned upload; running it again finishes what was cut off, and else changes nothing.

    The views come after everything else: they link what is published.
    """
    from variant_publish.publish.apply import now, publish
    from variant_publish.publish.view_apply import preflight, publish_views

    preflight(planned.views, reporter)
    published = publish(
        planned.release.for_installers(),
        planned.store,
        planned.repository,
        planned.plan,
        planned.selector_files,
        reporter,
        public_url=planned.public_url,
    )
    tracked = planned.repository.project_url(planned.plan.project) if planned.repository is not None else None
    views = publish_views(
        planned.views,
        planned.release,
        planned.store,
        upload_time=now(),
        tracks=(tracked,) if tracked else (),
        reporter=reporter,
    )
    return replace(published, views=views)
