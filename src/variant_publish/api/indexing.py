"""For maintainers: look after an extra index.

Each function opens the store that `settings` names, and closes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import msgspec

from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.formats.master import ProjectIndex
from variant_publish.index import adopt as adoption
from variant_publish.index import retention
from variant_publish.index import verify as verification
from variant_publish.index import yank as yanks
from variant_publish.index.index import change_project
from variant_publish.index.masters import read_root
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened_store
from variant_publish.publish.listed_views import yank_in_views
from variant_publish.publish.stage_places import opened_stage, stages_place, stale_stages
from variant_publish.store.objects import Pending
from variant_publish.store.store import Store


def list_projects(settings: UploadTable) -> tuple[str, ...]:
    """Return the names of the projects on the index."""
    with _store(settings) as store:
        root = read_root(store)
        return root.names if root is not None else ()


def list_files(settings: UploadTable, project: str) -> ProjectIndex:
    """Return what the index holds of a project; raise UsageError where it has no such project."""
    with _store(settings) as store:
        return yanks.existing(store, project)


def yank(settings: UploadTable, project: str, targets: Sequence[str], reason: str | None = "") -> tuple[str, ...]:
    """Yank versions or files (PEP 592), in views too: hide them from new choices; None for a reason undoes it.

    Return the keys of the pages that changed.
    """
    with _store(settings) as store:
        done = yanks.yank(store, project, targets, reason)
        return (*done.written, *yank_in_views(done.index, settings, tuple(targets), reason))


def unyank(settings: UploadTable, project: str, targets: Sequence[str]) -> tuple[str, ...]:
    """Undo the yank of versions or files, in views too. Return the keys of the pages that changed."""
    return yank(settings, project, targets, None)


def set_status(settings: UploadTable, project: str, status: str, reason: str = "") -> tuple[str, ...]:
    """Set the status of a project: active, archived or deprecated (PEP 792). Return the pages that changed."""
    with _store(settings) as store:
        return tuple(yanks.set_status(store, project, status, reason).written)


def verify(
    settings: UploadTable,
    projects: Sequence[str] = (),
    *,
    deep: bool = False,
    repair: bool = False,
    reporter: Reporter = SILENT,
) -> verification.Verified:
    """Compare the files and pages of an index with its masters; `deep` hashes every file, `repair` rewrites pages."""
    with _store(settings) as store:
        return verification.verify(store, projects, deep=deep, repair=repair, reporter=reporter)


def adopt(
    settings: UploadTable, project: str | None = None, *, hash_all: bool = False, reporter: Reporter = SILENT
) -> tuple[adoption.Adopted, ...]:
    """Make an index of a bucket of wheels, or of the pages of another tool; no wheel is downloaded.

    `hash_all` reads the files whose hash neither pages nor the store have.
    """
    with _store(settings) as store:
        return tuple(adoption.adopt(store, project, hash_all=hash_all, reporter=reporter))


def plan_removal(settings: UploadTable, project: str, targets: Sequence[str]) -> yanks.Removal:
    """Find what versions or files name, and which other releases pin it; nothing is removed."""
    with _store(settings) as store:
        return yanks.plan_removal(store, project, targets)


def remove(settings: UploadTable, planned: yanks.Removal, *, force: bool = False) -> tuple[str, ...]:
    """Remove files for good: from the pages first, then from the store. Return the keys of the pages that changed.

    Raises Pinned where another release on the index pins one of them, unless forced.
    """
    with _store(settings) as store:
        return tuple(yanks.remove(store, planned, force=force).written)


class CleanupRules(msgspec.Struct, frozen=True):
    """What a cleanup removes of an index; a rule that is None removes nothing.

    Nightly releases (versions with .devN) of the `projects` but for the newest `keep` and those younger than `days`;
    uploads that were cut off `uploads` days ago; stages that nobody touched for `stages` days.
    """

    projects: tuple[str, ...] = ()
    keep: int | None = None
    days: int | None = None
    uploads: int | None = None
    stages: int | None = None

    def __post_init__(self) -> None:
        has_rule = self.keep is not None or self.days is not None
        if has_rule is not bool(self.projects) or not (has_rule or (self.uploads, self.stages) != (None, None)):
            raise UsageError(
                "nothing says what to remove",
                hint="use NAME with --keep or --days, or --uploads DAYS, or --stages DAYS",
            )


class IndexCleanup(msgspec.Struct, frozen=True):
    """What a cleanup will remove; `kept` are old releases that others pin, as (version, who pins it).

    `unfinished` are the projects of which an earlier command did not delete everything that it had removed.
    """

    removals: tuple[yanks.Removal, ...]
    kept: tuple[tuple[str, str], ...]
    uploads: tuple[Pending, ...]
    stages: tuple[str, ...]
    unfinished: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removals or self.uploads or self.stages or self.unfinished)


def plan_cleanup(settings: UploadTable, rules: CleanupRules, now: datetime | None = None) -> IndexCleanup:
    """Find what the rules let go; nothing is removed."""
    now = now or datetime.now(UTC)
    with _store(settings) as store, opened_store(stages_place(settings), settings.endpoint_url) as stages:
        rule = retention.Retention(rules.keep, rules.days)
        plans = [retention.plan_cleanup(store, project, rule, now) for project in rules.projects]
        return IndexCleanup(
            tuple(removal for plan in plans for removal in plan.removals),
            tuple(kept for plan in plans for kept in plan.kept),
            retention.stale_uploads(store, rules.uploads, now) if rules.uploads is not None else (),
            stale_stages(stages, rules.stages, now) if rules.stages is not None else (),
            tuple(plan.project for plan in plans if plan.is_unfinished),
        )


def clean_up(settings: UploadTable, planned: IndexCleanup) -> None:
    """Remove what a cleanup found."""
    with _store(settings) as store:
        for removal in planned.removals:
            yanks.remove(store, removal)
        for project in planned.unfinished:
            change_project(store, project)
        for pending in planned.uploads:
            store.end(pending)
    for name in planned.stages:
        with opened_stage(settings, name) as stage:
            stage.forget()


def _store(settings: UploadTable) -> AbstractContextManager[Store]:
    return opened_store(settings.extra_index, settings.endpoint_url)
