"""For maintainers: hold a release against the rules, built or published; look into the binaries of wheels.

Each function imports the room that does its work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from variant_publish.archive.atomic import replacing
from variant_publish.config import Config
from variant_publish.progress import SILENT, Reporter
from variant_publish.release import Release, load, wheel_paths

if TYPE_CHECKING:
    from variant_publish import published
    from variant_publish.binary.inspection import Inspection
    from variant_publish.formats.simple import IndexFile
    from variant_publish.rules.choice import Choice
    from variant_publish.rules.report import Report
    from variant_publish.starter import Found

__all__ = ["check", "check_published", "found_in_release", "inspect", "write_summaries"]


def check(
    places: Sequence[Path],
    config: Config,
    *,
    strict: bool = False,
    offline: bool = False,
    reporter: Reporter = SILENT,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fast: bool = False,
    jobs: int = 1,
    client: str | None = None,
    index: str | None = None,
    summaries: bool = False,
) -> Report:
    """Check every release in the places (folders, wheels and summaries) by every rule; all findings at once.

    `offline` leaves out what needs an index: its verdict is then unknown. With `strict` warnings fail the check.
    `select` and `ignore` are ids of rules or beginnings of them; `fast` leaves the disassembling of code out; `jobs`
    wheels are read at a time, by as many processes. `client` ("uv") holds the release against one installer, too;
    `index` is where the release before this one is looked for. `summaries` asks for those of the wheels, too.
    """
    from variant_publish.rules.runner import Settings, find_selector_files
    from variant_publish.rules.runner import check as run_rules

    loaded = load(places, config)
    settings = Settings(_choice(config, select, ignore), config.check, fast, jobs, client=client, summaries=summaries)
    if index is not None and not offline:
        settings = replace(settings, previous={one.project: _previous(one, index) for one in loaded.releases})
    return run_rules(
        loaded,
        selector_files=find_selector_files(places),
        offline=offline,
        strict=strict,
        reporter=reporter,
        settings=settings,
    )


def write_summaries(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write the summaries of a report into a folder, each under the name of its wheel."""
    written = []
    for summary in report.summaries:
        path = folder / summary.filename
        with replacing(path) as stream:
            stream.write(summary.dumps().encode())
        written.append(path)
    return tuple(written)


def check_published(
    project: str,
    version: str,
    config: Config,
    *,
    index: str = "pypi",
    deep: bool = False,
    strict: bool = False,
    reporter: Reporter = SILENT,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fast: bool = False,
    jobs: int = 1,
    client: str | None = None,
    summaries: bool = False,
) -> Report:
    """Check a release that an index has: its list of files, and of each wheel the directory and dist-info.

    `deep` downloads the wheels and runs the rules on binaries too. Raises IndexUnavailable, or VariantPublishError
    where the index has no such release.
    """
    from packaging.utils import canonicalize_name

    from variant_publish import published
    from variant_publish.rules.runner import Settings
    from variant_publish.rules.runner import check as run_rules

    found = _published(project, version, index)
    reason = None if deep else "the wheels were not downloaded (--deep reads them)"
    settings = Settings(
        _choice(config, select, ignore),
        config.check,
        fast,
        jobs,
        reason,
        client,
        {canonicalize_name(project): found.previous},
        summaries,
    )
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        published.fetch(found.files, Path(folder), whole=deep, reporter=reporter)
        loaded = load([Path(folder)], config)
        return run_rules(loaded, strict=strict, reporter=reporter, settings=settings)


def _published(project: str, version: str, index: str) -> published.Published:
    from packaging.version import Version

    from variant_publish import published
    from variant_publish.rules.abi import index_url
    from variant_publish.simple_client import read_project

    return published.Published.of(read_project(index_url(index), project), Version(version))


def _choice(config: Config, select: Sequence[str], ignore: Sequence[str]) -> Choice:
    from variant_publish.rules.choice import Choice
    from variant_publish.rules.registry import RULES

    return Choice.of([rule.id for rule in RULES], select or config.check.select, ignore)


def _previous(release: Release, index: str) -> tuple[IndexFile, ...]:
    """Give the wheels of the newest release on the index that is older than this one."""
    from variant_publish.published import previous_of
    from variant_publish.rules.abi import index_url
    from variant_publish.simple_client import read_project

    return previous_of(read_project(index_url(index), release.project), release.version)


def inspect(places: Iterable[Path], *, fast: bool = False) -> tuple[Inspection, ...]:
    """Look into the binaries of every wheel in the places; `fast` disassembles nothing.

    Raises the error of a wheel that cannot be read.
    """
    from variant_publish.archive.wheel import Wheel
    from variant_publish.binary.inspection import Inspection
    from variant_publish.binary.scan import scan

    wheels = [Wheel.read(path) for path in wheel_paths(places)]
    return tuple(Inspection.of(wheel, scan(wheel, simd=not fast)) for wheel in wheels)


def found_in_release(
    project: str, version: str, *, index: str = "pypi", deep: bool = False, reporter: Reporter = SILENT
) -> tuple[Found, ...]:
    """Read a release of an index for a proposal: names and metadata by range requests, with `deep` whole wheels.

    Raises IndexUnavailable, or VariantPublishError where the index has no such release.
    """
    from variant_publish import published
    from variant_publish.starter import found_in

    release = _published(project, version, index)
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        published.fetch(release.files, Path(folder), whole=deep, reporter=reporter)
        return found_in([(None, Path(folder))], look=deep)
