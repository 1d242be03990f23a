"""What a check has found: findings, counts and grids, as values and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import msgspec

from variant_publish.check.engine.family import Family
from variant_publish.check.engine.grid import Grid
from variant_publish.check.engine.rule import Outcome, Rule, Severity, Verdict
from variant_publish.config.tables import FailOn, IgnoreTable
from variant_publish.formats.summary import Summary
from variant_publish.model.matrix import Cell
from variant_publish.release.release import Release

SCHEMA_VERSION = 1

_SEVERITIES = list(Severity)


class Finding(msgspec.Struct, frozen=True):
    """One failure, or one thing that could not be decided; `file` is a name without its folder.

    `release` says of which one it is where there are several, "" for one alone and for what is of all of them.
    `guards_publication` is the rule's, but for what --offline leaves out.
    `is_unread` says that too little was read of the wheels for the rule to run.
    """

    id: str
    severity: Severity
    verdict: Verdict
    file: str | None
    message: str
    hint: str | None
    cell: Cell | None = None
    release: str = ""
    guards_publication: bool = False
    is_unread: bool = False

    @classmethod
    def of(cls, rule: Rule, outcome: Outcome, prefix: str = "") -> Self:
        """Build from the outcome of a rule; `prefix` says of which release a finding without a file is."""
        message = outcome.message if outcome.file else prefix + outcome.message
        release = prefix.removesuffix(": ")
        return cls(
            rule.id, rule.severity, outcome.verdict, outcome.file, message, outcome.hint, outcome.cell, release,
            rule.guards_publication and not outcome.is_offline,
            outcome.is_unread,
        )  # fmt: skip

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Return the key of the order in which findings are shown: worst first, then by rule, file and cell."""
        cell = (self.cell.variant, self.cell.python, self.cell.platform) if self.cell else ()
        return (_SEVERITIES.index(self.severity), self.id, self.file or "", self.verdict.value, cell, self.message)

    @property
    def is_unknown(self) -> bool:
        """Return whether the rule could not decide."""
        return self.verdict is Verdict.UNKNOWN

    def level(self, fail_on: FailOn) -> Severity:
        """Return how the finding counts: ERROR for all that makes the check fail, INFO for an unknown that does not."""
        if self.is_unknown:
            fails = fail_on is FailOn.UNKNOWN or (fail_on is FailOn.WARNING and self.guards_publication)
            return Severity.ERROR if fails else Severity.INFO
        if self.severity is Severity.WARNING and fail_on is not FailOn.ERROR:
            return Severity.ERROR
        return self.severity

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        shown = {key: getattr(self, key) for key in ("id", "severity", "verdict", "file", "message", "hint")}
        return shown | (self.cell.axes if self.cell is not None else {})


class Ignored(msgspec.Struct, frozen=True):
    """One ignore of the configuration, and the findings that it kept out of the result."""

    ignore: IgnoreTable
    findings: tuple[Finding, ...]

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        ignored = {key: getattr(self.ignore, key) for key in ("id", "reason", "file", "variant")}
        return {**ignored, "findings": [finding.table() for finding in self.findings]}


class ReleaseReport(msgspec.Struct, frozen=True):
    """What was checked of one release."""

    project: str
    version: str
    wheels: tuple[str, ...]
    grid: Grid
    sizes: Mapping[str, int] = {}

    @classmethod
    def of(cls, release: Release, grid: Grid) -> Self:
        """Build from the release and its grid."""
        sizes = {wheel.filename: wheel.size for wheel in release.wheels}
        return cls(release.project, str(release.version), tuple(sizes), grid, sizes)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "project": self.project,
            "version": self.version,
            "wheels": list(self.wheels),
            "sizes": dict(self.sizes),
            "dialects": [str(dialect) for dialect in self.grid.dialects if dialect is not None],
            "variants": list(self.grid.columns),
            "matrix-declared": self.grid.declared,
            "zip": [[dict(group.lines(row)) for row in group.rows] for group in self.grid.groups],
            "grid": self.grid.table(),
        }


class Counts(msgspec.Struct, frozen=True):
    """Count outcomes by verdict."""

    passed: int = msgspec.field(default=0, name="pass")
    failed: int = msgspec.field(default=0, name="fail")
    skipped: int = msgspec.field(default=0, name="skip")
    unknown: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Self:
        """Count."""
        found = list(verdicts)
        return cls(*(found.count(verdict) for verdict in Verdict))


class Report(msgspec.Struct, frozen=True):
    """The result of a check: findings worst first, counts of outcomes, and what was checked by which `rules`.

    `summaries` are those of the wheels, where they were asked for; `proven` says what was asked for and is right.
    """

    findings: tuple[Finding, ...]
    counts: Counts
    releases: tuple[ReleaseReport, ...]
    fail_on: FailOn = FailOn.ERROR
    ignored: tuple[Ignored, ...] = ()
    rules: tuple[str, ...] = ()
    summaries: tuple[Summary, ...] = ()
    family: Family | None = None
    proven: tuple[str, ...] = ()

    def exit_code(self) -> int:
        """Return 1 where a finding makes the check fail by `fail_on`, else 0."""
        return int(self.count(Severity.ERROR) > 0)

    def is_error(self, finding: Finding) -> bool:
        """Return whether a finding makes the check fail."""
        return finding.level(self.fail_on) is Severity.ERROR

    def count(self, level: Severity) -> int:
        """Count the findings of a level; an unknown that does not make the check fail is of none (`undecided`)."""
        found = [one for one in self.findings if one.level(self.fail_on) is level]
        return len(found) - (self.undecided if level is Severity.INFO else 0)

    @property
    def undecided(self) -> int:
        """Count the unknowns that do not make the check fail."""
        return sum(one.is_unknown and not self.is_error(one) for one in self.findings)

    def table(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema-version": SCHEMA_VERSION,
            "releases": [release.table() for release in self.releases],
            "summary": {
                **msgspec.to_builtins(self.counts),
                "errors": self.count(Severity.ERROR),
                "warnings": self.count(Severity.WARNING),
                "infos": self.count(Severity.INFO),
                "undecided": self.undecided,
                "fail-on": self.fail_on.value,
                "exit-code": self.exit_code(),
            },
            "findings": [finding.table() for finding in self.findings],
            **({"proven": list(self.proven)} if self.proven else {}),
            **({"family": self.family.table()} if self.family is not None else {}),
            **({"ignored": [item.table() for item in self.ignored]} if self.ignored else {}),
        }
