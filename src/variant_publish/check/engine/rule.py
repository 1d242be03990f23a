"""What a rule is: an id, a title, a severity, and a check that yields outcomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sized
from enum import StrEnum
from typing import ClassVar, Generic, Self, TypeVar, cast, get_args

import msgspec
from msgspec.structs import replace

from variant_publish.archive.wheel import Wheel
from variant_publish.check.engine.context import Context, Folder
from variant_publish.check.engine.family import Family
from variant_publish.check.engine.rule_pages import title
from variant_publish.config.tables import TABLE
from variant_publish.errors import VariantPublishError
from variant_publish.model.matrix import Cell

W = TypeVar("W", bound=Wheel)
"""How much of a wheel a rule needs."""


class Verdict(StrEnum):
    """Return what a check has shown; UNKNOWN (the evidence is not there) is never counted as a pass."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """Return how much a failure matters, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(msgspec.Struct, frozen=True):
    """The verdict on one thing: a file, a cell, or the release where both are None.

    `is_unread` says that too little was read of the wheels, `is_offline` that an index was not to be asked.
    """

    verdict: Verdict
    message: str = ""
    hint: str | None = None
    file: str | None = None
    cell: Cell | None = None
    is_unread: bool = False
    is_offline: bool = False

    @classmethod
    def passed(cls, message: str = "") -> Self:
        """Build a pass: counted, and listed only where a message says what a user has asked for."""
        return cls(Verdict.PASS, message)

    @classmethod
    def failed(cls, message: str, hint: str, *, file: str | None = None, cell: Cell | None = None) -> Self:
        """Build a failure: what is wrong, and what to do about it."""
        return cls(Verdict.FAIL, message, hint, file, cell)

    @classmethod
    def skipped(cls, reason: str) -> Self:
        """Build a skip: the rule does not apply, or was told not to; counted, not listed."""
        return cls(Verdict.SKIP, reason)

    @classmethod
    def unknown(cls, reason: str, hint: str, *, file: str | None = None, cell: Cell | None = None) -> Self:
        """Build an unknown: what evidence is missing, and how to get it."""
        return cls(Verdict.UNKNOWN, reason, hint, file, cell)

    @classmethod
    def not_asked(cls, what: str) -> Self:
        """Build an unknown that was asked for: --offline asks no index, so --strict does not count it."""
        reason = f"{what}: indexes are not asked offline"
        return cls(Verdict.UNKNOWN, reason, "check again without --offline", is_offline=True)


class Rule(ABC):
    """Name one check; the docstring of a rule says what it proves and why.

    `is_of_one_wheel` says that what a rule finds in a wheel depends on that wheel and the configuration alone: then a
    summary of the wheel can tell it to whoever does not have the wheel. `guards_publication` says that --strict does
    not accept an unknown of the rule, unless for --offline: an upload could stop half-way, or what is published could
    not be installed.
    """

    id: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    hint: ClassVar[str] = ""
    is_of_one_wheel: ClassVar[bool] = False
    guards_publication: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Return what holds where the rule passes: the heading of its page."""
        return title(self.id)

    def failed(self, message: str, *, hint: str = "", file: str | None = None, cell: Cell | None = None) -> Outcome:
        """Build a failure with the hint of the rule, or one of its own."""
        return Outcome.failed(message, hint or self.hint, file=file, cell=cell)

    def judged(
        self, fault: object, message: str, *, hint: str = "", file: str | None = None, cell: Cell | None = None
    ) -> Outcome:
        """Build a failure where there is a fault, else a pass."""
        return self.failed(message, hint=hint, file=file, cell=cell) if fault else Outcome.passed()


class FolderRule(Rule):
    """Check what was named on the command line, releases or not."""

    @abstractmethod
    def check(self, folder: Folder) -> Iterable[Outcome]:
        """Yield an outcome for each thing that was checked."""


class ReleaseRule(Rule, Generic[W]):
    """Check one release as a whole.

    The type argument says how much of each wheel the rule needs: `ReleaseRule[WholeWheel]` needs bytes. Where less was
    read of a wheel, the rule does not run and its outcome is unknown.
    """

    needs: ClassVar[type[Wheel]] = Wheel

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Wheel):
                    cls.needs = argument

    def wheels(self, context: Context) -> tuple[W, ...]:
        """Return the wheels of the release as what the rule needs; the runner has seen that all are."""
        return cast("tuple[W, ...]", context.release.wheels)

    def prepare(self, context: Context) -> None:
        """Do for all wheels of a release at once what takes long: nothing, but for rules that run them."""

    @abstractmethod
    def check(self, context: Context) -> Iterable[Outcome]:
        """Yield an outcome for each thing that was checked."""


class FamilyRule(Rule):
    """Check projects that belong together."""

    def check(self, family: Family | None) -> Iterator[Outcome]:
        """Yield the outcomes; a skip where there is no family, or nothing in it to compare."""
        if family is None:
            yield Outcome.skipped(f"no family is named (--family, or {TABLE}.family.members)")
        elif not family.is_whole:
            yield Outcome.skipped("there are no two members to compare, each in one version: VP801 looks at it")
        else:
            yield from self.outcomes(family)

    def outcomes(self, family: Family) -> Iterator[Outcome]:
        """Yield an outcome for each thing that was checked in a family of two members or more."""
        yield from ()


Problem = str | tuple[str, str] | Outcome
"""What is wrong with a wheel, with the hint of the rule or one of its own; or what could not be decided."""

Problems = Iterator[Problem]


class WheelRule(ReleaseRule[W]):
    """Check each wheel of a release by itself: the problems of one wheel are its failures, none is a pass."""

    is_of_one_wheel = True

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield the failures of every wheel, a pass where there are none, a skip where the rule does not apply."""
        for wheel in self.wheels(context):
            try:
                if reason := self.not_for(wheel, context):
                    yield Outcome.skipped(reason)
                    continue
                problems = list(self.problems(wheel, context))
            except VariantPublishError as error:  # of this wheel: the others still have their say
                yield Outcome.unknown(error.message, error.hint or "check again", file=wheel.filename)
                continue
            yield from [self.told(problem, wheel) for problem in problems] or [Outcome.passed()]

    def told(self, problem: Problem, wheel: Wheel) -> Outcome:
        """Return a problem as an outcome of the wheel."""
        if isinstance(problem, Outcome):
            return problem if problem.verdict is Verdict.SKIP else replace(problem, file=wheel.filename)
        message, hint = (problem, self.hint) if isinstance(problem, str) else problem
        return self.failed(message, hint=hint, file=wheel.filename)

    def not_for(self, wheel: W, context: Context) -> str | None:
        """Return the reason why the rule does not apply to the wheel, or None."""
        return None

    @abstractmethod
    def problems(self, wheel: W, context: Context) -> Iterable[Problem]:
        """Yield everything that is wrong with the wheel."""


def in_wheels(files: Sized) -> str:
    """Say of how many wheels a finding is that names the first one."""
    return f" (in {len(files)} wheels)" if len(files) > 1 else ""


def some(names: Iterable[str], limit: int = 3) -> str:
    """Join the first few names for a message, and say how many more there are."""
    found = list(names)
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return ", ".join(found[:limit]) + more
