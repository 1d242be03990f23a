"""Run one rule, or all of them, over a folder of wheels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from variant_publish import api
from variant_publish.check.engine.context import Context, Folder
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.rule import FolderRule, Outcome, ReleaseRule
from variant_publish.check.engine.runner import Settings, check, find_selector_files
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Release, load

LINUX, MAC, WINDOWS = "manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64"
PLAIN, PLUS, LABELLED = (f"foo-1.0-cp312-cp312-{LINUX}{variant}.whl" for variant in ("", "+cu128", "-cu128"))


def release_in(folder: Path, config: str = "") -> Release:
    """Load the one release in a folder."""
    return load([folder], Config.parse(config)).only()


def outcomes(rule: FolderRule | ReleaseRule[Any], folder: Path, config: str = "", **context: Any) -> list[Outcome]:
    """Return what one rule has to say about the wheels in a folder; `context` are further values of the Context."""
    loaded = load([folder], Config.parse(config))
    files = Folder(loaded, find_selector_files([folder]))
    if isinstance(rule, FolderRule):
        return list(rule.check(files))
    (release,) = loaded.releases
    return list(rule.check(Context(release, files.selector_files_of(release), **context)))


def verdicts(rule: FolderRule | ReleaseRule[Any], folder: Path, config: str = "", **context: Any) -> dict[str, int]:
    """Count the outcomes of one rule by verdict."""
    found = [outcome.verdict.value for outcome in outcomes(rule, folder, config, **context)]
    return {verdict: found.count(verdict) for verdict in dict.fromkeys(found)}


def failures(rule: FolderRule | ReleaseRule[Any], folder: Path, config: str = "", **context: Any) -> list[str]:
    """Return the messages of one rule's failures."""
    found = outcomes(rule, folder, config, **context)
    return [outcome.message for outcome in found if outcome.verdict.value == "fail"]


def report_on(folder: Path, config: str = "", *, fail_on: FailOn = FailOn.ERROR) -> Report:
    """Check a folder by every rule."""
    parsed = Config.parse(config)
    settings = Settings(family=parsed.family, fail_on=fail_on)
    return check(load([folder], parsed), find_selector_files([folder]), settings)


def check_published(project: str, version: str, *, index: str, reporter: Reporter = SILENT, **options: Any) -> Report:
    """Check one release of an index without a configuration."""
    wanted = api.CheckOptions(published=((project, version),), index=index, **options)
    return api.check([], Config.parse(""), wanted, reporter)
