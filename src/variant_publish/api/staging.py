"""For maintainers: bring a release together from many machines, and list all of it or nothing.

Each function imports the room that does its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from variant_publish.api.publishing import PlannedUpload, upload
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Loaded, load

if TYPE_CHECKING:
    from variant_publish.check.engine.report import Report
    from variant_publish.publish.apply import Published
    from variant_publish.publish.staging import Sent, Staged

__all__ = ["PlannedRelease", "abort_staged", "plan_staged", "release", "stage"]


def stage(
    places: Sequence[Path],
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    fast: bool = False,
    jobs: int = 1,
) -> tuple[Sent, Report]:
    """Put the wheels and sdists in the places, with summaries, into the staged release `name` of the extra index.

    No page lists them until `release` does. Gives what was sent, and what the rules that look at one wheel found: that
    is part of the summaries, and stops nothing here. Raises the error of a wheel that cannot be read, or Conflict.
    """
    from variant_publish.check.engine.registry import RULES
    from variant_publish.check.engine.rule_choice import Choice
    from variant_publish.check.engine.runner import Settings
    from variant_publish.check.engine.runner import check as run_rules
    from variant_publish.publish.staging import stage as stage_files
    from variant_publish.publish.staging import uploads_of
    from variant_publish.publish.views import refuse_local_wheels
    from variant_publish.store.registry import open_store

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    alone = [rule.id for rule in RULES if rule.is_of_one_wheel]
    rules = Settings(Choice.of([rule.id for rule in RULES], alone, ()), config.check, fast, jobs, summaries=True)
    report = run_rules(loaded, reporter=reporter, settings=rules)
    for release in loaded.releases:
        refuse_local_wheels(release)
    uploads = [
        upload
        for release in loaded.releases
        for upload in uploads_of(release, report.summaries, attest=settings.attestations)
    ]
    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    try:
        store.preflight(max(summary.size for _, summary in uploads))
        return stage_files(store, name, uploads, reporter), report
    finally:
        store.close()


@dataclass(frozen=True)
class PlannedRelease:
    """What releasing a stage will do: what it has, what the rules say of the whole, and a plan for each project.

    There are no plans where the rules forbid the release, and where it is out already.
    """

    staged: Staged
    report: Report
    planned: tuple[PlannedUpload, ...]

    @property
    def is_released(self) -> bool:
        """Return whether the stage has been released already."""
        return self.staged.is_released


def plan_staged(
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    strict: bool = False,
    offline: bool = False,
) -> PlannedRelease:
    """Read the summaries of a stage, run the rules over the whole, and plan; nothing is sent.

    Raises VariantPublishError where there is no such stage, or where a file of it went away.
    """
    from variant_publish.check.engine.runner import Settings
    from variant_publish.check.engine.runner import check as run_rules
    from variant_publish.publish.apply import plan_release
    from variant_publish.publish.destinations import open_repository
    from variant_publish.publish.staging import read_stage, refuse_missing, releases_of_stage
    from variant_publish.publish.views import refuse_local_wheels
    from variant_publish.release.selectors import of_release
    from variant_publish.store.registry import open_store

    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    staged = read_stage(store, name)
    releases = releases_of_stage(staged, config)
    report = run_rules(
        Loaded(releases, ()), offline=offline, strict=strict, reporter=reporter, settings=Settings(table=config.check)
    )
    planned = []
    if not report.exit_code() and not staged.is_released:
        refuse_missing(store, staged)
        if settings.views is not None:
            reporter.warn("the views wait: when the release is out, run 'upload' where the wheels are, too")
        for release in releases:
            refuse_local_wheels(release)
            repository = open_repository(settings)
            selector_files = of_release(release, reporter)
            plan = plan_release(release, settings, store, repository, selector_files, reporter, is_staged=True)
            planned.append(PlannedUpload(release, plan, selector_files, store, repository, settings.public_url))
    return PlannedRelease(staged, report, tuple(planned))


def release(planned: PlannedRelease, reporter: Reporter = SILENT) -> tuple[Published, ...]:
    """List a staged release, one change for each project, and then send the repository's share.

    Running it again finishes what was cut off. Raises Conflict where somebody else changed the stage meanwhile.
    """
    from variant_publish.publish.staging import begin, finish

    if not planned.planned:
        return ()
    store = planned.planned[0].store
    begun = begin(store, planned.staged)
    results = tuple(upload(item, reporter) for item in planned.planned)
    if all(result.is_complete for result in results):
        finish(store, begun)
    store.close()
    return results


def abort_staged(name: str, settings: UploadTable) -> tuple[str, ...]:
    """Withdraw a staged release, and give the names of the files that went."""
    from variant_publish.publish.staging import abort
    from variant_publish.store.registry import open_store

    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    try:
        return abort(store, name)
    finally:
        store.close()
