"""For maintainers: promote a release from a test index to the one that users know."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened, opened_store
from variant_publish.publish.listed_views import publish_listed_views
from variant_publish.publish.promotion import Promotion, files_of
from variant_publish.publish.upload_plan import UploadPlan, plan_files
from variant_publish.publish.uploader import UploadResult


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
