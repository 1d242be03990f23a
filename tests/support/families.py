"""Projects that belong together, as wheels in one folder."""

from __future__ import annotations

from pathlib import Path

from support.wheels import make_wheel
from variant_publish.check.engine.family import Family
from variant_publish.check.engine.rule import FamilyRule, Outcome
from variant_publish.config.configuration import Config
from variant_publish.release.release import load

DECLARED = '[tool.variant-publish.family]\nmembers = ["foo", "foo-cpu"]\n'


def family_in(folder: Path, config: str = "", *, asked: bool = True) -> Family | None:
    """Return the family of what lies in a folder."""
    parsed = Config.parse(config)
    return Family.of(load([folder], parsed).releases, parsed.family, asked=asked)


def wheels_of(folder: Path, *names: str, requires: tuple[str, ...] = ()) -> None:
    """Write wheels, named without their ending."""
    for name in names:
        make_wheel(folder, f"{name}.whl", requires=requires)


def outcomes(rule: FamilyRule, folder: Path, config: str = "") -> list[Outcome]:
    """Return what one rule has to say about the family in a folder."""
    return list(rule.check(family_in(folder, config)))


def verdicts(rule: FamilyRule, folder: Path, config: str = "") -> dict[str, int]:
    """Count the outcomes of one rule by verdict."""
    found = [outcome.verdict.value for outcome in outcomes(rule, folder, config)]
    return {verdict: found.count(verdict) for verdict in dict.fromkeys(found)}


def failures(rule: FamilyRule, folder: Path, config: str = "") -> list[str]:
    """Return the messages of one rule's failures."""
    return [found.message for found in outcomes(rule, folder, config) if found.verdict.value == "fail"]
