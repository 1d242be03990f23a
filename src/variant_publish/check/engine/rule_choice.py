"""Which rules run, and which findings are ignored: by the command line, and by the configuration with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Self

import msgspec

from variant_publish.check.engine.report import Finding, Ignored
from variant_publish.config.tables import TABLE, CheckTable, IgnoreTable
from variant_publish.errors import UsageError
from variant_publish.release.release import Release

_PREFIX = re.compile(r"VP[0-9]{0,3}")


class Choice(msgspec.Struct, frozen=True):
    """Which rules run: those of `selected` (all where it is empty) but for those of `dropped`; ids or prefixes."""

    selected: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @classmethod
    def of(cls, known: Sequence[str], selected: Iterable[str], dropped: Iterable[str]) -> Self:
        """Build from ids and prefixes ("VP503", "VP5"), comma-separated or not; UsageError for one of no rule."""
        result = cls(_split(selected), _split(dropped))
        for prefix in (*result.selected, *result.dropped):
            check_prefix(prefix, known)
        return result

    def wants(self, id_: str) -> bool:
        """Return whether a rule runs."""
        return (not self.selected or id_.startswith(self.selected)) and not id_.startswith(self.dropped or ("-",))


EVERYTHING = Choice()


def sift(
    findings: Iterable[Finding], config: CheckTable, known: Sequence[str], releases: Iterable[Release]
) -> tuple[list[Finding], tuple[Ignored, ...]]:
    """Part the findings from those that the configuration ignores; the first ignore that fits takes a finding.

    Raises UsageError for an ignore of no rule, or without a reason.
    """
    for place, ignore in enumerate(config.ignore):
        where = f"{TABLE}.check.ignore[{place}]"
        if not ignore.reason.strip():
            raise UsageError(f"{where} has no reason", hint="say why the finding is right to be ignored")
        check_prefix(ignore.id, known, where)
    variants = {wheel.filename: one.variant_of(wheel.name) for one in releases for wheel in one.wheels}
    kept: list[Finding] = []
    taken: list[list[Finding]] = [[] for _ in config.ignore]
    for finding in findings:
        index = next((i for i, one in enumerate(config.ignore) if _fits(one, finding, variants)), None)
        (kept if index is None else taken[index]).append(finding)
    return kept, tuple(Ignored(ignore, tuple(found)) for ignore, found in zip(config.ignore, taken, strict=True))


def check_prefix(prefix: str, known: Sequence[str], where: str = "") -> None:
    """Raise UsageError where no rule has this id or this beginning of one."""
    if not _PREFIX.fullmatch(prefix) or not any(id_.startswith(prefix) for id_ in known):
        raise UsageError(
            f"{where}{' names ' if where else ''}{prefix!r}{', which' if where else ''} is the id of no rule",
            hint="'variant-publish check --list' shows them all",
        )


def _fits(ignore: IgnoreTable, finding: Finding, variants: dict[str, str]) -> bool:
    variant = finding.cell.variant if finding.cell is not None else variants.get(finding.file or "")
    return (
        finding.id.startswith(ignore.id)
        and (ignore.file is None or fnmatchcase(finding.file or "", ignore.file))
        and ignore.variant in (None, variant)
    )


def _split(prefixes: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in prefixes for part in text.split(",") if part.strip())
