"""Run every rule over what was loaded, and gather the outcomes into one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import NormalizedName
from packaging.version import Version

from variant_publish import __version__
from variant_publish.archive.wheel import SummaryWheel, Wheel, WholeWheel
from variant_publish.binary.scans import Scans
from variant_publish.check.engine.binaries import BinaryRule
from variant_publish.check.engine.context import Context, Folder, Surroundings
from variant_publish.check.engine.family import Family
from variant_publish.check.engine.registry import FAMILY_RULES, FOLDER_RULES, RELEASE_RULES, RULES
from variant_publish.check.engine.report import Counts, Finding, ReleaseReport, Report
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Rule, Verdict
from variant_publish.check.engine.rule_choice import EVERYTHING, Choice, sift
from variant_publish.check.rules.content import RecordHashes
from variant_publish.config.tables import CheckTable, FailOn, FamilyTable
from variant_publish.dialects.registry import selector_patterns
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.summary import RuleVerdict, Summary
from variant_publish.formats.typed import values_of
from variant_publish.model.quantity import count
from variant_publish.providers import catalog
from variant_publish.release.release import Loaded, Release


class Origin(msgspec.Struct, frozen=True):
    """Where one release comes from: `previous` and `is_published` are the Context's."""

    previous: tuple[IndexFile, ...] = ()
    is_published: bool = False


class Settings(Surroundings, frozen=True):
    """How rules are run, and which ones.

    `table` holds the ignores of the configuration, `family` the projects that belong together; `asks_family` takes all
    that were loaded for one where it names none. `origins` are those of releases, by project and version. `summaries`
    asks for summaries of the wheels in the report. `fail_on` is the least that makes the check fail.
    """

    choice: Choice = EVERYTHING
    table: CheckTable = CheckTable()
    summaries: bool = False
    origins: Mapping[tuple[NormalizedName, Version], Origin] = {}
    family: FamilyTable | None = None
    asks_family: bool = False
    fail_on: FailOn = FailOn.ERROR


DEFAULTS = Settings()


def check(loaded: Loaded, selector_files: Iterable[Path] = (), settings: Settings = DEFAULTS) -> Report:
    """Check what was loaded by every rule and report everything at once.

    `selector_files` are those that lie beside the wheels (`find_selector_files`).
    """
    checker = _Checker(Folder(loaded, tuple(selector_files)), settings)
    checker.check_folder()
    for release in loaded.releases:
        checker.check_release(release)
    return checker.report()


def find_selector_files(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the selector files directly inside the places that are folders, sorted."""
    return tuple(
        path
        for place in places
        if place.is_dir()
        for path in sorted(found for pattern in selector_patterns() for found in place.glob(pattern))
    )


def _scans(loaded: Loaded, settings: Settings) -> Scans:
    """Begin to scan the wheels of all releases, where a rule that runs reads them."""
    scans = Scans(catalog.providers(), simd=not settings.fast)
    scanning = (rule for rule in RELEASE_RULES if isinstance(rule, (BinaryRule, RecordHashes)))
    if any(settings.choice.wants(rule.id) for rule in scanning):
        wheels = [wheel for release in loaded.releases for wheel in release.wheels if isinstance(wheel, WholeWheel)]
        scans.start(wheels, settings.jobs)
    return scans


class _Checker:
    """Run rules, and keep what they say."""

    def __init__(self, folder: Folder, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.loaded = folder.loaded
        self.family = Family.of(self.loaded.releases, settings.family, asked=settings.asks_family)
        self.scans = _scans(self.loaded, settings)
        self.outcomes: list[tuple[Rule, Outcome, str]] = []
        self.releases: list[ReleaseReport] = []
        self.summaries: list[Summary] = []

    def check_folder(self) -> None:
        """Run the rules on everything that was named, and on the family."""
        for rule in FOLDER_RULES:
            self._add(rule, rule.check(self.folder))
        for family_rule in FAMILY_RULES:
            self._add(family_rule, family_rule.check(self.family))

    def check_release(self, release: Release) -> None:
        """Run the rules on one release, those on one wheel first."""
        context = self._context(release)
        prefix = f"{release.project} {release.version}: " if len(self.loaded.releases) > 1 else ""
        self.releases.append(ReleaseReport.of(release, context.grid))
        for rule in (rule for rule in RELEASE_RULES if self.settings.choice.wants(rule.id)):
            with suppress(VariantPublishError, OSError):  # what a wheel is to blame for is told of that wheel
                rule.prepare(context)
        for wheel in release.wheels:
            one = context.of_one(wheel)
            found = [
                outcome
                for rule in RELEASE_RULES
                if rule.is_of_one_wheel
                for outcome in self._of_wheel(rule, wheel, one, prefix)
            ]
            if self.settings.summaries:
                self.summaries.append(_summary(wheel, found))
        for rule in RELEASE_RULES:
            little = [wheel for wheel in release.wheels if _is_too_little(rule, wheel)]
            if little and self.settings.choice.wants(rule.id):
                self.outcomes.append((rule, _not_read(rule, little), prefix))
            elif not rule.is_of_one_wheel:
                self._add(rule, rule.check(context), prefix)

    def report(self) -> Report:
        """Return what was found."""
        findings = [
            Finding.of(rule, outcome, prefix)
            for rule, outcome, prefix in self.outcomes
            if outcome.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
        ]
        kept, ignored = sift(findings, self.settings.table, [rule.id for rule in RULES], self.loaded.releases)
        return Report(
            tuple(sorted(kept, key=lambda finding: finding.sort_key)),
            Counts.of(outcome.verdict for _, outcome, _ in self.outcomes),
            tuple(self.releases),
            self.settings.fail_on,
            ignored,
            tuple(rule.id for rule in RULES if self.settings.choice.wants(rule.id)),
            tuple(self.summaries),
            self.family if self.family is not None and self.family.members else None,
            tuple(one.message for _, one, _ in self.outcomes if one.verdict is Verdict.PASS and one.message),
        )

    def _context(self, release: Release) -> Context:
        origin = self.settings.origins.get(release.key, Origin())
        given = values_of(self.settings, Surroundings)
        if origin.is_published:
            given["index"] = self.settings.index or "pypi"
        others = tuple(other for other in self.loaded.releases if other is not release)
        files = self.folder.selector_files_of(release)
        return Context(release, files, origin.previous, origin.is_published, others, self.scans, **given)

    def _of_wheel(self, rule: ReleaseRule[Any], wheel: Wheel, one: Context, prefix: str) -> list[tuple[Rule, Outcome]]:
        """Run a rule on one wheel; where only its summary is here, repeat what that has of the rule."""
        if isinstance(wheel, SummaryWheel):
            return self._add(rule, _repeated(rule, wheel.summary), prefix)
        return [] if _is_too_little(rule, wheel) else self._add(rule, rule.check(one), prefix)

    def _add(self, rule: Rule, outcomes: Iterable[Outcome], prefix: str = "") -> list[tuple[Rule, Outcome]]:
        if not self.settings.choice.wants(rule.id):
            return []
        found = list(_safely(rule, outcomes))
        self.outcomes += [(rule, outcome, prefix) for outcome in found]
        return [(rule, outcome) for outcome in found]


def _is_too_little(rule: ReleaseRule[Any], wheel: Wheel) -> bool:
    if isinstance(wheel, SummaryWheel) and rule.is_of_one_wheel:
        return False
    return not isinstance(wheel, rule.needs)


def _not_read(rule: ReleaseRule[Any], wheels: Sequence[Wheel]) -> Outcome:
    kinds = ", ".join(dict.fromkeys(wheel.read_as for wheel in wheels))
    if any(isinstance(wheel, SummaryWheel) for wheel in wheels):
        hint = "check the wheels themselves"
    else:
        hint = "add --deep, which downloads them" if rule.needs is WholeWheel else "add --outline, or --deep"
    return Outcome(Verdict.UNKNOWN, f"{count(len(wheels), 'wheel')} read as {kinds}", hint, is_unread=True)


def _repeated(rule: Rule, summary: Summary) -> Iterator[Outcome]:
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
    if isinstance(wheel, SummaryWheel):
        return wheel.summary
    if not isinstance(wheel, WholeWheel):
        raise VariantPublishError(f"{wheel.filename} was not read whole", hint="add --deep, which downloads it")
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
