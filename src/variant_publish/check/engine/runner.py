"""Run every rule over what was loaded, and gather the outcomes into one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import Version

from variant_publish import __version__
from variant_publish.archive.wheel import ArchiveNotRead, Wheel
from variant_publish.binary.parallel import scan_all
from variant_publish.binary.scan import Scan
from variant_publish.check.engine.binaries import BinaryRule
from variant_publish.check.engine.context import Context, Folder
from variant_publish.check.engine.family import Family, FamilyReport
from variant_publish.check.engine.registry import FAMILY_RULES, FOLDER_RULES, RELEASE_RULES, RULES
from variant_publish.check.engine.report import Counts, Finding, ReleaseReport, Report
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Rule, Verdict
from variant_publish.check.engine.rule_choice import EVERYTHING, Choice, sift
from variant_publish.check.rules.content import RecordHashes
from variant_publish.config.tables import CheckTable, FamilyTable
from variant_publish.dialects.registry import selector_patterns
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.summary import RuleVerdict, Summary
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.release.dependencies import NO_LINKING, Linking
from variant_publish.release.release import Loaded


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one release comes from: `previous`, `no_scan`, `is_published` and `index` are the Context's.

    Without an `index` of its own, that of the Settings counts.
    """

    previous: tuple[IndexFile, ...] = ()
    no_scan: str | None = None
    is_published: bool = False
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How rules are run: which ones, without disassembling (`fast`), in how many processes.

    `table` holds the ignores of the configuration, `family` the projects that belong together; `asks_family` takes all
    that were loaded for one where it names none. `client` and `index` are the Context's; `origins` are those of
    releases, by project and version. `summaries` asks for summaries of the wheels in the report. `linking` is the
    Context's.
    """

    choice: Choice = EVERYTHING
    table: CheckTable = field(default_factory=CheckTable)
    fast: bool = False
    processes: int = 1
    client: str | None = None
    summaries: bool = False
    index: str | None = None
    origins: Mapping[tuple[NormalizedName, Version], Origin] = field(default_factory=dict)
    family: FamilyTable | None = None
    asks_family: bool = False
    linking: Linking = NO_LINKING


DEFAULTS = Settings()


def check(
    loaded: Loaded,
    *,
    selector_files: Iterable[Path] = (),
    offline: bool = False,
    strict: bool = False,
    reporter: Reporter = SILENT,
    settings: Settings = DEFAULTS,
) -> Report:
    """Check what was loaded by every rule and report everything at once.

    `selector_files` are those that lie beside the wheels (`find_selector_files`). `offline` leaves out what needs an
    index: its verdict is then unknown. `strict` makes warnings count as errors in the report's exit code.
    """
    folder = Folder(loaded, tuple(selector_files))
    outcomes: list[tuple[Rule, Outcome, str]] = [
        (rule, outcome, "")
        for rule in FOLDER_RULES
        if settings.choice.wants(rule.id)
        for outcome in _safely(rule, rule.check(folder))
    ]
    family = Family.of(loaded.releases, settings.family, asked=settings.asks_family)
    outcomes += [
        (rule, outcome, "")
        for rule in FAMILY_RULES
        if settings.choice.wants(rule.id)
        for outcome in _safely(rule, rule.check(family))
    ]
    reports: list[ReleaseReport] = []
    summaries: list[Summary] = []
    scans = _scans(loaded, settings)
    for release in loaded.releases:
        origin = settings.origins.get(release.key, Origin())
        context = Context(
            release,
            folder.selector_files_of(release),
            offline,
            reporter,
            settings.fast,
            origin.no_scan,
            settings.client,
            origin.previous,
            origin.index or settings.index,
            origin.is_published,
            tuple(other for other in loaded.releases if other is not release),
            settings.linking,
        )
        context.scans.update(scans)
        prefix = f"{release.project} {release.version}: " if len(loaded.releases) > 1 else ""
        reports.append(ReleaseReport.of(release, context.grid))
        for wheel in release.wheels:
            found = list(_of_wheel(wheel, context, settings.choice))
            outcomes += [(rule, outcome, prefix) for rule, outcome in found]
            if settings.summaries:
                summaries.append(_summary(wheel, found))
        outcomes += [
            (rule, outcome, prefix)
            for rule in RELEASE_RULES
            if not rule.is_of_one_wheel and settings.choice.wants(rule.id)
            for outcome in _safely(rule, rule.check(context))
        ]
    findings = [
        Finding.of(rule, outcome, prefix)
        for rule, outcome, prefix in outcomes
        if outcome.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    ]
    kept, ignored = sift(findings, settings.table, [rule.id for rule in RULES], loaded.releases)
    return Report(
        tuple(sorted(kept, key=lambda finding: finding.sort_key)),
        Counts.of(outcome.verdict for _, outcome, _ in outcomes),
        tuple(reports),
        strict,
        ignored,
        tuple(rule.id for rule in RULES if settings.choice.wants(rule.id)),
        tuple(summaries),
        FamilyReport.of(family) if family is not None and family.members else None,
        tuple(outcome.message for _, outcome, _ in outcomes if outcome.verdict is Verdict.PASS and outcome.message),
    )


def find_selector_files(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the selector files directly inside the places that are folders, sorted."""
    return tuple(
        path
        for place in places
        if place.is_dir()
        for path in sorted(found for pattern in selector_patterns() for found in place.glob(pattern))
    )


def _scans(loaded: Loaded, settings: Settings) -> dict[Path, Scan]:
    """Scan the wheels of all releases side by side, where a rule that runs reads them."""
    scanning = (rule for rule in RELEASE_RULES if isinstance(rule, (BinaryRule, RecordHashes)))
    if not any(settings.choice.wants(rule.id) for rule in scanning):
        return {}
    here = [
        wheel
        for release in loaded.releases
        if settings.origins.get(release.key, Origin()).no_scan is None
        for wheel in release.wheels
        if wheel.summary is None
    ]
    return scan_all(here, catalog.providers(), simd=not settings.fast, processes=settings.processes)


def _of_wheel(wheel: Wheel, context: Context, choice: Choice) -> Iterator[tuple[ReleaseRule, Outcome]]:
    """Run the rules that look at one wheel alone; where only its summary is here, repeat what that has of them."""
    one = context.of_one(wheel)
    for rule in RELEASE_RULES:
        if rule.is_of_one_wheel and choice.wants(rule.id):
            outcomes = rule.check(one) if wheel.summary is None else _told(rule, wheel.summary)
            for outcome in _safely(rule, outcomes):
                yield rule, outcome


def _told(rule: Rule, summary: Summary) -> Iterator[Outcome]:
    verdicts = summary.verdicts_of(rule.id)
    if not verdicts:
        yield Outcome.unknown(
            f"its summary, made by version {summary.made_by}, does not have {rule.id}",
            "make the summary again with this version, and without --select, --ignore",
            file=summary.file,
        )
    for verdict in verdicts:
        given = Verdict(verdict.verdict)
        file = summary.file if given in (Verdict.FAIL, Verdict.UNKNOWN) else None
        yield Outcome(given, verdict.message, verdict.hint, file)


def _summary(wheel: Wheel, outcomes: Iterable[tuple[Rule, Outcome]]) -> Summary:
    if wheel.summary is not None:
        return wheel.summary
    verdicts = (
        RuleVerdict(rule.id, outcome.verdict.value, outcome.message, outcome.hint) for rule, outcome in outcomes
    )  # fmt: skip
    return Summary(
        wheel.filename,
        wheel.size,
        wheel.sha256,
        wheel.dist_info,
        wheel.info,
        wheel.record_text,
        tuple(verdicts),
        __version__,
    )


def _safely(rule: Rule, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Turn trouble with a file in the middle of a rule into an unknown: the other rules still have their say."""
    try:
        yield from outcomes
    except ArchiveNotRead as error:
        yield Outcome.skipped(error.message)
    except (VariantPublishError, OSError) as error:
        message = error.message if isinstance(error, VariantPublishError) else str(error)
        hint = error.hint if isinstance(error, VariantPublishError) else None
        yield Outcome.unknown(f"{rule.id} could not finish: {message}", hint or "check again")
