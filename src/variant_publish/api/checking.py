"""For maintainers: hold a release against the rules, built or published; look into the binaries of wheels.

Each function imports the room that does its work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import Release, Sdist, load, wheel_paths

if TYPE_CHECKING:
    from variant_publish.archive.wheel import Wheel
    from variant_publish.binary.inspection import Inspection
    from variant_publish.build.starter import Found
    from variant_publish.check.engine.report import Report
    from variant_publish.check.engine.rule_choice import Choice
    from variant_publish.check.engine.runner import Origin
    from variant_publish.formats.simple import IndexFile
    from variant_publish.release import published

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
    published: Sequence[tuple[str, str]] = (),
    deep: bool = False,
    outline: bool = False,
    family: bool = False,
    summaries: bool = False,
) -> Report:
    """Check every release in the places (folders, wheels and summaries) by every rule; all findings at once.

    `offline` leaves out what needs an index: its verdict is then unknown. With `strict` warnings fail the check.
    `select` and `ignore` are ids of rules or beginnings of them; `fast` leaves the disassembling of code out; `jobs`
    wheels are read at a time, by as many processes. `client` ("uv") holds the release against one installer, too;
    `index` is where the release before this one, used names and pinned versions are looked for. `summaries` asks for
    those of the wheels, too.

    `published` are (name, version) of releases that an index has (PyPI, if none is given): of each wheel, METADATA
    where the index serves it, else, and with `outline` in any case, the directory and dist-info; rules that need what
    was not read are skipped. `deep` downloads these wheels and runs the rules on binaries too. `family` takes all that
    is checked for projects that belong together, unless the configuration says which do. Raises IndexUnavailable, or
    VariantPublishError where the index has no such release.
    """
    from contextlib import ExitStack

    from variant_publish.check.engine.runner import Origin, Settings, find_selector_files
    from variant_publish.check.engine.runner import check as run_rules

    if published and offline:
        raise UsageError(f"{published[0][0]}=={published[0][1]} is on an index, which is not asked offline",
                         hint="name a folder with its wheels, or leave --offline out")  # fmt: skip
    wanted = dict.fromkeys((canonicalize_name(name), Version(version)) for name, version in published)
    if published and summaries and not deep:
        raise UsageError("summaries of published wheels need the wheels", hint="add --deep, which downloads them")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="variant-publish-")) if published else ".")
        fetched = [
            _fetch(*release, index or "pypi", folder / str(number), deep=deep, outline=outline, reporter=reporter)
            for number, release in enumerate(wanted)
        ]
        loaded = load(
            [*places, *(one.folder for one in fetched if one.files)],
            config,
            [wheel for one in fetched for wheel in one.wheels],
            [path for one in fetched for path in one.sdists],
        )
        origins = {one.key: one.origin for one in fetched}
        if index is not None and not offline:
            for release in loaded.releases:
                if release.key not in origins:
                    origins[release.key] = Origin(_previous(release, index))
        settings = Settings(
            _choice(config, select, ignore), config.check, fast, jobs, client, summaries, index, origins,
            config.family, family,
        )  # fmt: skip
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


def check_published(project: str, version: str, config: Config, *, index: str = "pypi", **options: Any) -> Report:
    """Check one release that an index has; `options` are those of `check`."""
    return check([], config, index=index, published=[(project, version)], **options)


@dataclass(frozen=True, slots=True)
class _FromIndex:
    """What was fetched of one published release, and where it lies."""

    key: tuple[NormalizedName, Version]
    origin: Origin
    folder: Path
    files: int
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]


def _fetch(
    project: NormalizedName,
    version: Version,
    index: str,
    folder: Path,
    *,
    deep: bool,
    outline: bool,
    reporter: Reporter,
) -> _FromIndex:
    from variant_publish.check.engine.runner import Origin
    from variant_publish.release.published import Depth, fetch

    found = _published(project, str(version), index)
    depth = Depth.WHOLE if deep else Depth.OUTLINE if outline else Depth.METADATA
    fetched = fetch(found.files, folder, depth=depth, label=f"{project} {version}", reporter=reporter)
    reason = None if deep else "the wheels were not downloaded (--deep reads them)"
    return _FromIndex(
        (project, version),
        Origin(found.previous, reason, is_published=True, index=index),
        folder,
        fetched.files,
        fetched.wheels,
        tuple(Sdist(folder / name, 0) for name in found.sdists),
    )


def _published(project: str, version: str, index: str) -> published.Published:
    from variant_publish.check.rules.abi import index_url
    from variant_publish.release import published
    from variant_publish.remote.index import read_project

    return published.Published.of(project, read_project(index_url(index), project), Version(version))


def _choice(config: Config, select: Sequence[str], ignore: Sequence[str]) -> Choice:
    from variant_publish.check.engine.registry import RULES
    from variant_publish.check.engine.rule_choice import Choice

    return Choice.of([rule.id for rule in RULES], select or config.check.select, ignore)


def _previous(release: Release, index: str) -> tuple[IndexFile, ...]:
    """Return the wheels of the newest release on the index that is older than this one."""
    from variant_publish.check.rules.abi import index_url
    from variant_publish.release.published import previous_of
    from variant_publish.remote.index import read_project

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
    from variant_publish.build.starter import found_in
    from variant_publish.release import published

    release = _published(project, version, index)
    depth = published.Depth.WHOLE if deep else published.Depth.OUTLINE
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        published.fetch(release.files, Path(folder), depth=depth, reporter=reporter)
        return found_in([(None, Path(folder))], look=deep)
