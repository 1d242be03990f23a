"""For maintainers: bring a release together from many machines, and list all of it or nothing.

Each function imports the room that does its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Loaded, load

if TYPE_CHECKING:
    from variant_publish.check.engine.report import Report
    from variant_publish.publish.staging import Sent, Staged
    from variant_publish.publish.upload_plan import UploadPlan
    from variant_publish.publish.uploader import UploadResult

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
    from variant_publish.publish.destinations import opened_store
    from variant_publish.publish.staging import stage as stage_files
    from variant_publish.publish.staging import summarized
    from variant_publish.publish.views import refuse_local_wheels

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    alone = [rule.id for rule in RULES if rule.is_of_one_wheel]
    rules = Settings(Choice.of([rule.id for rule in RULES], alone, ()), config.check, fast, jobs, summaries=True,
                     reporter=reporter)  # fmt: skip
    report = run_rules(loaded, settings=rules)
    for release in loaded.releases:
        refuse_local_wheels(release)
    uploads = [
        upload
        for release in loaded.releases
        for upload in summarized(release, report.summaries, attest=settings.attestations)
    ]
    with opened_store(settings.extra_index, settings.endpoint_url) as store:
        store.preflight(max(summary.size for _, summary in uploads))
        return stage_files(store, name, uploads, reporter), report


@dataclass(frozen=True)
class PlannedRelease:
    """What releasing a stage will do: what it has, what the rules say of the whole, and a plan for each project.

    There are no plans where the rules forbid the release, and where it is out already.
    """

    staged: Staged
    report: Report
    settings: UploadTable
    planned: tuple[UploadPlan, ...]

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
    from variant_publish.publish.destinations import opened
    from variant_publish.publish.staging import read_stage, refuse_missing, releases_of_stage
    from variant_publish.publish.upload_plan import plan_release
    from variant_publish.publish.views import refuse_local_wheels

    with opened(settings) as destinations:
        staged = read_stage(destinations.store, name)
        releases = releases_of_stage(staged, config)
        rules = Settings(table=config.check, offline=offline, strict=strict, reporter=reporter)
        report = run_rules(Loaded(releases, ()), settings=rules)
        if report.exit_code() or staged.is_released:
            return PlannedRelease(staged, report, settings, ())
        refuse_missing(destinations.store, staged)
        for release in releases:
            refuse_local_wheels(release)
        plans = tuple(plan_release(release, destinations, reporter, copies=True) for release in releases)
        return PlannedRelease(staged, report, settings, plans)


def release(planned: PlannedRelease, reporter: Reporter = SILENT) -> tuple[UploadResult, ...]:
    """List a staged release, one change for each project, and then send the repository's share.

    Running it again finishes what was cut off. Raises Conflict where somebody else changed the stage meanwhile.
    """
    from variant_publish.publish.destinations import opened
    from variant_publish.publish.staging import begin, finish
    from variant_publish.publish.uploader import publish

    if not planned.planned:
        return ()
    with opened(planned.settings) as destinations:
        begun = begin(destinations.store, planned.staged)
        results = tuple(publish(plan, destinations, reporter) for plan in planned.planned)
        if all(result.is_complete for result in results):
            finish(destinations.store, begun)
    return results


def abort_staged(name: str, settings: UploadTable) -> tuple[str, ...]:
    """Withdraw a staged release, and give the names of the files that went."""
    from variant_publish.publish.destinations import opened_store
    from variant_publish.publish.staging import abort

    with opened_store(settings.extra_index, settings.endpoint_url) as store:
        return abort(store, name)
