"""For maintainers: check a release by the rules, built or published; inspect the binaries of wheels."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.archive.atomic import replacing
from variant_publish.archive.wheel import Wheel, WholeWheel
from variant_publish.binary.scan import scan
from variant_publish.check.engine.context import RunOptions
from variant_publish.check.engine.registry import RULES
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.rule import Rule
from variant_publish.check.engine.rule_choice import Choice
from variant_publish.check.engine.rule_pages import explain
from variant_publish.check.engine.runner import Origin, Settings, find_selector_files
from variant_publish.check.engine.runner import check as run_rules
from variant_publish.check.rules.abi import index_url
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.errors import UsageError
from variant_publish.formats.typed import values_of
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.release import published
from variant_publish.release.abi_range import AbiRange
from variant_publish.release.dependencies import Dependencies, Linking
from variant_publish.release.inspection import Inspection
from variant_publish.release.published import Depth, fetch, previous_of
from variant_publish.release.release import Loaded, Sdist, Unreadable, load, wheel_paths
from variant_publish.remote.listing import read_project
from variant_publish.serve.wheel_cache import WheelCache


class CheckOptions(RunOptions, frozen=True, kw_only=True):
    """How `check` works, and what it checks besides folders.

    `fail_on` is the least that makes the check fail. `offline` asks no index: what needs one is then unknown. `select`
    and `ignore` are ids of rules or beginnings of them; `fast` disassembles no code; `jobs` wheels are read at a time,
    by as many processes. `client` ("uv") also checks what this installer accepts. `index` is where the previous
    release, used names and pinned versions are looked up. `summaries` adds summaries of the wheels to the report.
    `run` installs each wheel of this system and imports it under an emulator: that executes its code.
    `against` are requirements like "torch==2.10.0" on dependencies that the libraries of the wheels must load with.

    `published` are (name, version) of releases that an index has (PyPI, if none is given). Of each wheel, METADATA is
    read where the index serves it, else, and with `outline` in any case, the directory and dist-info; rules that need
    what was not read are skipped. `deep` downloads these wheels, so that rules on binaries run too. `family` takes all
    that is checked for projects that belong together, unless the configuration says which do.
    """

    fail_on: FailOn = FailOn.ERROR
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    published: tuple[tuple[str, str], ...] = ()
    deep: bool = False
    outline: bool = False
    family: bool = False
    summaries: bool = False
    against: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.published and self.offline:
            project, version = self.published[0]
            raise UsageError(
                f"{project}=={version} is on an index, and --offline asks no index",
                hint="name a folder with its wheels, or leave --offline out",
            )
        if self.published and self.summaries and not self.deep:
            raise UsageError("summaries of published wheels need the wheels", hint="add --deep, which downloads them")

    @property
    def releases(self) -> tuple[tuple[NormalizedName, Version], ...]:
        """Return the published releases, each once."""
        return tuple(dict.fromkeys((canonicalize_name(name), Version(version)) for name, version in self.published))


_DEFAULTS = CheckOptions()


def check(
    places: Sequence[Path], config: Config, options: CheckOptions = _DEFAULTS, reporter: Reporter = SILENT
) -> Report:
    """Check every release in the places (folders, wheels and summaries) by every rule, and report all findings at once.

    Raises IndexUnavailable, or VariantPublishError where the index does not have a published release.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="variant-publish-")) if options.published else ".")
        fetched = [
            _fetch(*release, folder / str(number), options, reporter) for number, release in enumerate(options.releases)
        ]
        known = [wheel for one in fetched for wheel in one.wheels]
        loaded = load(places, config, known, [sdist for one in fetched for sdist in one.sdists])
        unreadable = [file for one in fetched for file in one.unreadable]
        loaded = replace(loaded, unreadable=(*loaded.unreadable, *unreadable))
        linking = Linking.parse(options.against, WheelCache.of_user(os.environ).root)
        choice = Choice.of([rule.id for rule in RULES], options.select or config.check.select, options.ignore)
        settings = Settings(
            choice, config.check, options.summaries, _origins(loaded, fetched, options),
            config.family, options.family, options.fail_on, linking=linking, reporter=reporter,
            **values_of(options, RunOptions),
        )  # fmt: skip
        return run_rules(loaded, find_selector_files(places), settings)


def write_summaries(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write the summaries of a report into a folder, each under the name of its wheel."""
    written = []
    for summary in report.summaries:
        path = folder / summary.filename
        with replacing(path) as stream:
            stream.write(summary.dumps().encode())
        written.append(path)
    return tuple(written)


class _FromIndex(msgspec.Struct, frozen=True):
    """What was fetched of one published release."""

    key: tuple[NormalizedName, Version]
    origin: Origin
    wheels: tuple[Wheel, ...]
    sdists: tuple[Sdist, ...]
    unreadable: tuple[Unreadable, ...]


def _fetch(
    project: NormalizedName, version: Version, folder: Path, options: CheckOptions, reporter: Reporter
) -> _FromIndex:
    index = options.index or "pypi"
    found = published_release(project, str(version), index)
    depth = Depth.WHOLE if options.deep else Depth.OUTLINE if options.outline else Depth.METADATA
    fetched = fetch(found.files, folder, depth=depth, label=f"{project} {version}", reporter=reporter)
    return _FromIndex(
        (project, version),
        Origin(found.previous, is_published=True),
        fetched.wheels,
        tuple(Sdist(folder / name, 0) for name in found.sdists),
        fetched.unreadable,
    )


def _origins(
    loaded: Loaded, fetched: Iterable[_FromIndex], options: CheckOptions
) -> dict[tuple[NormalizedName, Version], Origin]:
    origins = {one.key: one.origin for one in fetched}
    if options.index is not None and not options.offline:
        for release in loaded.releases:
            if release.key not in origins:
                origins[release.key] = Origin(
                    previous_of(read_project(index_url(options.index), release.project), release.version)
                )
    return origins


def published_release(project: str, version: str, index: str) -> published.PublishedRelease:
    """Find a release on an index; raise VariantPublishError where it has no such release."""
    return published.PublishedRelease.of(project, read_project(index_url(index), project), Version(version))


def inspect(places: Iterable[Path], *, fast: bool = False) -> tuple[Inspection, ...]:
    """Inspect the binaries of every wheel in the places; `fast` disassembles nothing.

    Raises the error of a wheel that cannot be read.
    """
    wheels = [WholeWheel.read(path) for path in wheel_paths(places)]
    return tuple(Inspection.of(wheel, scan(wheel, catalog.providers(), simd=not fast)) for wheel in wheels)


def abi_range(path: Path, project: str, *, index: str = "pypi", reporter: Reporter = SILENT) -> AbiRange:
    """Return the releases of a dependency on the index that the libraries of a wheel load with.

    Raises IndexUnavailable, or the error of a wheel that cannot be read.
    """
    cache = WheelCache.of_user(os.environ).root
    dependencies = Dependencies((index_url(index),), read_project, cache, reporter)
    return AbiRange.of(WholeWheel.read(path), canonicalize_name(project), dependencies)


def rules() -> tuple[Rule, ...]:
    """Return the rules in the order of their ids."""
    return tuple(sorted(RULES, key=lambda rule: rule.id))


def explain_rule(id_: str) -> str:
    """Return the page of a rule in Markdown; raise UsageError for an id of no rule."""
    return explain(id_)
