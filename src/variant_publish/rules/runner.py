"""Run every rule over what was loaded, and gather the outcomes into one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from variant_publish import __version__
from variant_publish.archive.wheel import Wheel
from variant_publish.binary.many import scan_all
from variant_publish.config import CheckTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.summary import RuleVerdict, Summary
from variant_publish.progress import SILENT, Reporter
from variant_publish.release import Loaded
from variant_publish.rules.binaries import BinaryRule
from variant_publish.rules.choice import EVERYTHING, Choice, sift
from variant_publish.rules.content import RecordHashes
from variant_publish.rules.context import Context, Folder
from variant_publish.rules.registry import FOLDER_RULES, RELEASE_RULES, RULES
from variant_publish.rules.report import Counts, Finding, ReleaseReport, Report
from variant_publish.rules.rule import Outcome, ReleaseRule, Rule, Verdict


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold how rules are run: which ones, without disassembling (`fast`), in how many processes.

    `table` holds the ignores of the configuration; `no_scan` says why no wheel is read whole, None where they are.
    `client` is the installer that the release is held against, `previous` the wheels of the release
    before it, by project. `summaries` asks for summaries of the wheels in the report.
    """

    choice: Choice = EVERYTHING
    table: CheckTable = field(default_factory=CheckTable)
    fast: bool = False
    processes: int = 1
    no_scan: str | None = None
    client: str | None = None
    previous: Mapping[str, tuple[IndexFile, ...]] = field(default_factory=dict)
    summaries: bool = False


DEFAULTS = Settings()

SELECTOR_PATTERNS = ("*-variants.json", "*-wheel-selector.toml")


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
    reports: list[ReleaseReport] = []
    summaries: list[Summary] = []
    for release in loaded.releases:
        context = Context(
            release,
            folder.selector_files_of(release),
            offline,
            reporter,
            settings.fast,
            settings.no_scan,
            settings.client,
            settings.previous.get(release.project, ()),
        )
        if _reads_binaries(settings):
            here = [wheel for wheel in release.wheels if wheel.summary is None]
            context.scans.update(scan_all(here, simd=not settings.fast, processes=settings.processes))
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
    )


def find_selector_files(places: Iterable[Path]) -> tuple[Path, ...]:
    """Give the selector files directly inside the places that are folders, sorted."""
    return tuple(
        path
        for place in places
        if place.is_dir()
        for path in sorted(found for pattern in SELECTOR_PATTERNS for found in place.glob(pattern))
    )


def _reads_binaries(settings: Settings) -> bool:
    scanning = (rule for rule in RELEASE_RULES if isinstance(rule, (BinaryRule, RecordHashes)))
    return settings.no_scan is None and any(settings.choice.wants(rule.id) for rule in scanning)


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
            "make the summary anew with this version, and without --select, --ignore",
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
    except (VariantPublishError, OSError) as error:
        message = error.message if isinstance(error, VariantPublishError) else str(error)
        hint = error.hint if isinstance(error, VariantPublishError) else None
        yield Outcome.unknown(f"{rule.id} could not finish: {message}", hint or "check again")
