"""For maintainers: bring a release together from many machines, and list all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from variant_publish.check.engine.registry import RULES
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.rule_choice import Choice
from variant_publish.check.engine.runner import Settings
from variant_publish.check.engine.runner import check as run_rules
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn, UploadTable
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened, opened_store
from variant_publish.publish.listed_views import publish_listed_views
from variant_publish.publish.stage import StageContents
from variant_publish.publish.stage_places import opened_stage, refuse_taken
from variant_publish.publish.upload_plan import UploadPlan, plan_files
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.publish.uploads import ReleaseFiles
from variant_publish.publish.verified_files import Claim, verified
from variant_publish.publish.view_apply import PublishedView
from variant_publish.publish.views import refuse_local_wheels
from variant_publish.release.release import Loaded, load


class StageResult(msgspec.Struct, frozen=True):
    """What staging did for each project, and where testers find the stage; "" where that is not known."""

    uploads: tuple[UploadResult, ...]
    address: str

    @property
    def sent(self) -> tuple[str, ...]:
        """Return the names of files sent."""
        return tuple(file for one in self.uploads for file in one.sent)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Return the names of files that were there."""
        return tuple(file for one in self.uploads for file in one.skipped)

    @property
    def views(self) -> tuple[PublishedView, ...]:
        """Return the views of the stage that the files are in."""
        return tuple(view for one in self.uploads for view in one.views)

    @property
    def is_complete(self) -> bool:
        """Return whether testers can read everything."""
        return all(one.is_complete for one in self.uploads)

    def table(self) -> dict[str, object]:
        """Return the members of the JSON object."""
        views = [view.table() for view in self.views]
        return {"sent": list(self.sent), "skipped": list(self.skipped), "url": self.address or None, "views": views}


def stage(
    places: Sequence[Path],
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    run: bool = False,
) -> tuple[StageResult, Report]:
    """Put the wheels and sdists in the places, with summaries, into the staged release `name`.

    Testers install them from the stage's own address; the extra index lists nothing until `release` does. Return what
    was sent, and what the rules that look at one wheel found: that is part of the summaries, and stops nothing here.
    `run` lets rules run the wheels.
    Raises the error of a wheel that cannot be read, or Conflict.
    """
    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    alone = [rule.id for rule in RULES if rule.is_of_one_wheel]
    choice = Choice.of([rule.id for rule in RULES], alone, ())
    rules = Settings(choice, config.check, summaries=True, jobs=os.cpu_count() or 1, reporter=reporter, run=run)
    report = run_rules(loaded, settings=rules)
    with opened_store(settings.extra_index, settings.endpoint_url) as store:
        for release in loaded.releases:
            refuse_local_wheels(release)
            refuse_taken(store, release)
    with opened_stage(settings, name) as opened:
        opened.open()
        done = tuple(opened.add(release, report.summaries, reporter) for release in loaded.releases)
        opened.refuse_closed()  # a release that began meanwhile has the list of its files already
        return StageResult(done, opened.settings.public_url or ""), report


class PlannedRelease(msgspec.Struct, frozen=True):
    """What releasing a stage will do: what it has, what the rules say of the whole, and a plan for each project.

    There are no plans where the rules forbid the release, and where it is out already.
    """

    contents: StageContents
    report: Report
    config: Config
    settings: UploadTable
    planned: tuple[UploadPlan, ...]

    @property
    def is_released(self) -> bool:
        """Return whether the stage has been released already."""
        return self.contents.is_released


def plan_staged(
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    fail_on: FailOn = FailOn.ERROR,
    offline: bool = False,
) -> PlannedRelease:
    """Read the summaries of a stage, run the rules over the whole, and plan; nothing is sent.

    Raises VariantPublishError where there is no such stage, where a file of it went away, and where a file is staged
    that is not of the release.
    """
    with opened_stage(settings, name) as stage:
        contents = stage.contents()
        releases = contents.releases(config)
        rules = Settings(table=config.check, offline=offline, fail_on=fail_on, reporter=reporter)
        report = run_rules(Loaded(releases, ()), settings=rules)
        if report.exit_code() or contents.is_released:
            return PlannedRelease(contents, report, config, settings, ())
        stage.refuse_missing(contents)
    with opened(settings) as destinations:
        for release in releases:
            refuse_local_wheels(release)
        files = (ReleaseFiles.of_release(one, reporter, attest=settings.attestations) for one in releases)
        plans = tuple(plan_files(one, destinations, reporter, copies=True) for one in files)
        return PlannedRelease(contents, report, config, settings, plans)


def release(
    planned: PlannedRelease, reporter: Reporter = SILENT, *, trust_summaries: bool = False
) -> tuple[UploadResult, ...]:
    """List a staged release, one change for each project, and then send the repository's share.

    Every staged file is read once before anything is listed: hash and dist-info must be what its summary says. With
    `trust_summaries` none is, and whoever may write to the stage can publish any bytes under any METADATA.
    Running it again finishes what was cut off. Raises FalseClaim, and Conflict where somebody else changed the stage.
    """
    contents = planned.contents
    with opened(planned.settings) as destinations, opened_stage(planned.settings, contents.state.name) as stage:
        if not planned.planned:
            if planned.is_released:
                stage.finish()  # a release that was cut off after the last page leaves files
            return ()
        keep = {file for plan in planned.planned for file in plan.to_repository()}
        moved = {file for plan in planned.planned for file in plan.moved()}
        claims = {file: Claim.of_summary(summary) for file, summary in contents.summaries if file in moved}
        with verified(stage.store, claims, keep, reporter, trust=trust_summaries) as files:
            stage.begin(contents)
            results = tuple(publish(plan, destinations, reporter, sources=files) for plan in planned.planned)
        results = tuple(
            msgspec.structs.replace(
                result, views=publish_listed_views(plan, planned.config, destinations, reporter, stage.settings)
            )
            for result, plan in zip(results, planned.planned, strict=True)
        )
        if all(result.is_complete for result in results):
            stage.finish()
    return results


def abort_staged(name: str, settings: UploadTable) -> tuple[str, ...]:
    """Abort a staged release, and return the names of the files that were deleted."""
    with opened_stage(settings, name) as stage:
        return stage.abort()
