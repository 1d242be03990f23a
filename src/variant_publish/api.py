"""The library's public face: what the commands do, as functions that return results and never print.

Each function imports the room that does its work: retagging, which many small CI steps call, does not wait for S3.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.archive.atomic import replacing
from variant_publish.archive.many import Job, retag_all
from variant_publish.archive.retag import Rename, Retagged, Rewrite
from variant_publish.config import TABLE, ChangesTable, Config, UploadTable, provider_of
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.variants_json import InvalidVariantMetadata, VariantsMetadata
from variant_publish.model.build_job import BuildJob, machine_of
from variant_publish.model.matrix import Cell
from variant_publish.model.variant import AWARE, GENERIC, NULL_LABEL, Dialect, Variant
from variant_publish.model.wheel_name import WheelName
from variant_publish.progress import SILENT, Reporter
from variant_publish.release import Loaded, Release, Sdist, load, wheel_paths

if TYPE_CHECKING:
    from variant_publish import published
    from variant_publish.archive.wheel import Wheel
    from variant_publish.binary.inspection import Inspection
    from variant_publish.building.frontend import Builder
    from variant_publish.building.repair import Repair
    from variant_publish.formats.simple import IndexFile
    from variant_publish.publish.apply import Published
    from variant_publish.publish.plan import Plan
    from variant_publish.publish.repository import Repository
    from variant_publish.publish.staging import Sent, Staged
    from variant_publish.publish.store import Store
    from variant_publish.publish.views import View
    from variant_publish.rules.choice import Choice
    from variant_publish.rules.report import Report
    from variant_publish.rules.runner import Origin
    from variant_publish.selectors import SelectorFiles
    from variant_publish.starter import Found


@dataclass(frozen=True, slots=True)
class RetagResult:
    """Hold what became of each wheel: the new ones, and the errors of those that could not be rewritten."""

    done: tuple[Retagged, ...]
    failed: tuple[VariantPublishError, ...]


def rewrites(
    variant: Variant | None,
    config: Config,
    *,
    dialects: Sequence[Dialect] = (),
    priority: Sequence[str] = (),
    rename: Rename | None = None,
    declared: ChangesTable | None = None,
    drop_signatures: bool = False,
    locals_: Iterable[str] = (),
) -> tuple[Rewrite, ...]:
    """Give what retagging does to a wheel, one rewrite for each dialect; for the generic wheel (None) one.

    `dialects` and `priority` default to the configuration's; `declared` holds the changes of requirements and the
    rename that the configuration declares. `locals_` are further local versions that are variants, and give way to the
    new one. Raises UsageError where a dialect lacks what it needs.
    """
    declared = declared or ChangesTable()
    if rename is None and declared.rename is not None:
        rename = Rename(declared.rename.name, declared.rename.to)
    plain = Rewrite(
        rename=rename,
        add=declared.requires.add,
        remove=declared.requires.remove,
        pins=config.pins,
        drop_signatures=drop_signatures,
        locals=(*locals_, *(config.locals if variant is None else _local_of(variant))),
    )
    if variant is None:
        return (plain,)
    result = []
    for dialect in dialects or config.dialects:
        if dialect is not Dialect.PEP825 and variant.label == NULL_LABEL:
            result.append(plain)
        elif dialect is Dialect.PLUS:
            result.append(replace(plain, extra_tags=variant.tags))
        elif dialect is Dialect.LOCAL:
            result.append(replace(plain, local=variant.local))
        else:
            metadata = _variant_json(variant, config, priority)
            result.append(replace(plain, label=variant.label, variant_json=metadata))
    return tuple(result)


def _local_of(variant: Variant) -> tuple[str, ...]:
    with suppress(UsageError):
        return (variant.local,)
    return ()  # dialects other than local have no need of it


def retag(
    places: Iterable[Path],
    folder: Path | None,
    changes: Sequence[Rewrite],
    reporter: Reporter = SILENT,
    *,
    jobs: int = 1,
    digest: bool = False,
    repair: Repair | None = None,
) -> RetagResult:
    """Rewrite every wheel in the places into `folder`, once for each rewrite; in place where `folder` is None.

    `jobs` wheels are rewritten at a time, by as many processes; the bytes are the same for any number. `digest` keeps
    the hash of each result beside it, for `upload`. `repair` lets auditwheel or delocate work on each wheel first, one
    after the other. An error of one wheel does not stop the others. Raises UsageError where nothing can be done at all.
    """
    if folder is None and len(changes) != 1:
        raise UsageError(
            f"one wheel cannot become {len(changes)} wheels in place", hint="choose one dialect, or an output folder"
        )
    if folder is None and repair is not None:
        raise UsageError(
            "--repair makes other wheels, not the same ones in place", hint="give an output folder with -o"
        )
    paths = wheel_paths(places)
    _check_renames(paths, changes)
    failed: list[VariantPublishError] = []
    with TemporaryDirectory(prefix="variant-publish-") if repair else nullcontext("") as temporary:
        ready = list(_repaired(paths, Path(temporary), repair, failed, reporter)) if repair else paths
        outcomes = retag_all([Job(path, tuple(changes), folder, digest) for path in ready], jobs, reporter)
    done = tuple(retagged for outcome in outcomes for retagged in outcome.done)
    for retagged in done:
        if retagged.note:
            reporter.note(retagged.note)
    return RetagResult(done, (*failed, *(outcome.error for outcome in outcomes if outcome.error is not None)))


def repair_for(
    variant: Variant | None, *, plat: str | None = None, exclude: Sequence[str] = (), options: Sequence[str] = ()
) -> Repair:
    """Give the repair of the wheels of a variant, or of the generic one (None), for `retag` and `build`.

    auditwheel's check for code beyond the baseline yields to the x86-64 level that the variant claims. `plat` is its
    platform, `exclude` names libraries that stay outside, `options` go to auditwheel or delocate as they are.
    """
    from variant_publish.building.repair import Repair
    from variant_publish.rules.binaries import claimed_level

    level = claimed_level(variant.properties, (*variant.tags, variant.label)) if variant is not None else None
    return Repair(level, plat, tuple(exclude), tuple(options))


@dataclass(frozen=True, slots=True)
class Built:
    """Hold the wheels of one variant that were built and retagged, where they lie now."""

    variant: str
    wheels: tuple[Path, ...]


def build(
    source: Path,
    folder: Path,
    names: Sequence[str],
    config: Config,
    builder: Builder,
    reporter: Reporter = SILENT,
    *,
    repair: Callable[[Variant | None], Repair] | None = None,
) -> Iterator[Built]:
    """Build the wheels of each named variant ("generic" too) from a project's folder or sdist, one after the other.

    Each is built from a fresh copy of the sdist with its own settings, retagged, and put into `folder`, where it takes
    the place of a file of its name; nothing lies there before it is whole. `repair` gives the repair of a variant.
    Raises UsageError for what cannot be built at all, BuildFailed with the exit code of the frontend.
    """
    from variant_publish.building.source import is_sdist

    variants = {name: None if name == GENERIC else config.variant(name) for name in names}
    changes = {name: rewrites(one, config, declared=config.changes_of(name)) for name, one in variants.items()}
    ready = is_sdist(source)
    builder.preflight()
    with TemporaryDirectory(prefix="variant-publish-") as temporary:
        place = Path(temporary).resolve()
        sdist = source.resolve() if ready else builder.sdist(source, place / "sdist", reporter.note)
        for number, (name, variant) in enumerate(variants.items()):
            settings, own_place = config.settings_of(name), place / str(number)
            reporter.note(f"building {name}{f' with {settings}' if settings else ''}")
            wheels = builder.wheels(sdist, own_place, name, settings, reporter.note)
            own = repair(variant) if repair else None
            result = retag(wheels, own_place / "retagged", changes[name], reporter, repair=own)
            for error in result.failed:
                raise error
            yield Built(name, tuple(_moved(retagged.path, folder) for retagged in result.done))


def buildable(config: Config, platform: str) -> tuple[str, ...]:
    """Give the builds, generic first, that the configuration declares for the machine of a platform tag.

    A variant without declared platforms is for every machine.
    """
    here, found = machine_of(platform), []
    everywhere = config.matrix.platform if config.matrix else ()
    for name in (GENERIC, *config.variants):
        own = everywhere if name == GENERIC else config.tables.variants[name].platform or everywhere
        if not own or any(_alike(machine_of(one), here) for one in own):
            found.append(name)
    return tuple(found)


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

    from variant_publish.rules.runner import Origin, Settings, find_selector_files
    from variant_publish.rules.runner import check as run_rules

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
    """Hold what was fetched of one published release, and where it lies."""

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
    from variant_publish.published import Depth, fetch
    from variant_publish.rules.runner import Origin

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
    from variant_publish import published
    from variant_publish.rules.abi import index_url
    from variant_publish.simple_client import read_project

    return published.Published.of(project, read_project(index_url(index), project), Version(version))


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
    depth = published.Depth.WHOLE if deep else published.Depth.OUTLINE
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        published.fetch(release.files, Path(folder), depth=depth, reporter=reporter)
        return found_in([(None, Path(folder))], look=deep)


def plan_matrix(config: Config, places: Sequence[Path] = ()) -> tuple[BuildJob, ...]:
    """Give the build jobs of the declared matrix; with places, only those of cells that no wheel there fills.

    Raises UsageError where the configuration declares no matrix.
    """
    from variant_publish.rules.grid import Grid, State

    if config.matrix is None:
        raise UsageError(
            "the configuration declares no matrix", hint=f"declare [{TABLE}.matrix] with python and platform"
        )
    cells = config.matrix.cells()
    filled: set[Cell] = set()
    begun = [place for place in places if not place.is_dir() or any(place.glob("*.whl"))]
    for release in load(begun, config).releases:
        grid = Grid.of_release(release)
        filled |= {cell for cell, entries in grid.by_cell() if all(entry.state is State.PRESENT for entry in entries)}
    return tuple(
        BuildJob.of(cell, config.build_settings[cell.variant], config.matrix.settings_of(cell))
        for cell in cells
        if cell not in filled
    )


@dataclass(frozen=True, slots=True)
class MetadataResult:
    """Hold the selector files of the releases: which are current on disk, and which were (or would be) written.

    `commands` are, for each variant that has a view, its name and how users of plain pip install it.
    """

    current: tuple[Path, ...]
    outdated: tuple[Path, ...]
    commands: tuple[tuple[str, str], ...] = ()


def metadata(
    places: Sequence[Path], folder: Path, config: Config, *, write: bool = True, reporter: Reporter = SILENT
) -> MetadataResult:
    """Write the selector files of every release in the places into `folder`; with `write=False` only compare.

    Raises the error of a wheel that cannot be read: a file that leaves one out would be wrong.
    """
    from variant_publish.selectors import of_release

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    current, outdated, commands = [], [], []
    for release in loaded.releases:
        commands += _view_commands(release)
        texts = of_release(release, reporter).texts(release.project, str(release.version))
        for name, text in texts.items():
            path = folder / name
            if path.exists() and path.read_bytes() == text.encode():
                current.append(path)
                continue
            outdated.append(path)
            if write:
                with replacing(path) as stream:
                    stream.write(text.encode())
    return MetadataResult(tuple(current), tuple(outdated), tuple(commands))


def _view_commands(release: Release) -> list[tuple[str, str]]:
    upload = release.config.upload
    if upload.views is None:
        return []
    from variant_publish.project_page import view_command
    from variant_publish.publish.view_places import views_address
    from variant_publish.publish.views import view_names

    address = views_address(upload)
    return [
        (name, view_command(release.project, f"{address}/{name}" if address else "")) for name in view_names(release)
    ]


@dataclass(frozen=True)
class PlannedUpload:
    """Hold what `upload` will do with one release, and the places that it was planned for.

    Wheels of dialect local are the views' alone: `release` has them, and `plan` has not.
    """

    release: Release
    plan: Plan
    selector_files: SelectorFiles
    store: Store
    repository: Repository | None
    public_url: str | None = None
    views: tuple[View, ...] = ()

    def table(self) -> dict[str, Any]:
        """Give the JSON object."""
        return {**self.plan.table(), "views": [view.table() for view in self.views]}


def plan_upload(
    places: Sequence[Path], config: Config, settings: UploadTable, reporter: Reporter = SILENT
) -> tuple[PlannedUpload, ...]:
    """Ask the destinations what they have, and plan the upload of every release in the places; nothing is sent.

    `settings` are the configuration's with what the call overrides. Raises the error of a wheel that cannot be read,
    or Conflict where a name is taken by other bytes.
    """
    from variant_publish.publish.apply import plan_release
    from variant_publish.publish.destinations import open_repository, open_store
    from variant_publish.publish.index import read_index
    from variant_publish.publish.views import check_local_wheels, plan_views
    from variant_publish.selectors import of_release

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    planned = []
    for release in loaded.releases:
        check_local_wheels(release, settings)
        store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
        repository = open_repository(settings)
        selector_files = of_release(release, reporter)
        plan = plan_release(release.in_dialects(None, *AWARE), settings, store, repository, selector_files, reporter)
        listed = read_index(store, release.project) if settings.views is not None else None
        views = plan_views(release, settings, plan, listed, reporter)
        planned.append(PlannedUpload(release, plan, selector_files, store, repository, settings.public_url, views))
    return tuple(planned)


def upload(planned: PlannedUpload, reporter: Reporter = SILENT) -> Published:
    """Carry out one planned upload; running it again finishes what was cut off, and else changes nothing.

    The views come after everything else: they link what is published.
    """
    from variant_publish.publish.apply import now, publish
    from variant_publish.publish.view_apply import preflight, publish_views

    preflight(planned.views, reporter)
    published = publish(
        planned.release.in_dialects(None, *AWARE),
        planned.store,
        planned.repository,
        planned.plan,
        planned.selector_files,
        reporter,
        public_url=planned.public_url,
    )
    tracked = planned.repository.project_url(planned.plan.project) if planned.repository is not None else None
    views = publish_views(
        planned.views,
        planned.release,
        planned.store,
        upload_time=now(),
        tracks=(tracked,) if tracked else (),
        reporter=reporter,
    )
    return replace(published, views=views)


def stage(
    places: Sequence[Path],
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    fast: bool = False,
    jobs: int = 1,
) -> tuple[Sent, Report]:
    """Put the wheels and sdists in the places, with summaries, into the staged release `name` of the extra index.

    No page lists them until `release` does. Gives what was sent, and what the rules that look at one wheel found: that
    is part of the summaries, and stops nothing here. Raises the error of a wheel that cannot be read, or Conflict.
    """
    from variant_publish.publish.destinations import open_store
    from variant_publish.publish.staging import stage as stage_files
    from variant_publish.publish.staging import uploads_of
    from variant_publish.publish.views import refuse_local_wheels
    from variant_publish.rules.choice import Choice
    from variant_publish.rules.registry import RULES
    from variant_publish.rules.runner import Settings
    from variant_publish.rules.runner import check as run_rules

    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    alone = [rule.id for rule in RULES if rule.is_of_one_wheel]
    rules = Settings(Choice.of([rule.id for rule in RULES], alone, ()), config.check, fast, jobs, summaries=True)
    report = run_rules(loaded, reporter=reporter, settings=rules)
    for release in loaded.releases:
        refuse_local_wheels(release)
    uploads = [
        upload
        for release in loaded.releases
        for upload in uploads_of(release, report.summaries, attest=settings.attestations)
    ]
    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    try:
        store.preflight(max(summary.size for _, summary in uploads))
        return stage_files(store, name, uploads, reporter), report
    finally:
        store.close()


@dataclass(frozen=True)
class PlannedRelease:
    """Hold what releasing a stage will do: what it has, what the rules say of the whole, and a plan for each project.

    There are no plans where the rules forbid the release, and where it is out already.
    """

    staged: Staged
    report: Report
    planned: tuple[PlannedUpload, ...]

    @property
    def is_released(self) -> bool:
        """Say whether the stage has been released already."""
        return self.staged.is_released


def plan_staged(
    name: str,
    config: Config,
    settings: UploadTable,
    reporter: Reporter = SILENT,
    *,
    strict: bool = False,
    offline: bool = False,
) -> PlannedRelease:
    """Read the summaries of a stage, run the rules over the whole, and plan; nothing is sent.

    Raises VariantPublishError where there is no such stage, or where a file of it went away.
    """
    from variant_publish.publish.apply import plan_release
    from variant_publish.publish.destinations import open_repository, open_store
    from variant_publish.publish.staging import read_stage, refuse_missing, releases_of_stage
    from variant_publish.publish.views import refuse_local_wheels
    from variant_publish.rules.runner import Settings
    from variant_publish.rules.runner import check as run_rules
    from variant_publish.selectors import of_release

    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    staged = read_stage(store, name)
    releases = releases_of_stage(staged, config)
    report = run_rules(
        Loaded(releases, ()), offline=offline, strict=strict, reporter=reporter, settings=Settings(table=config.check)
    )
    planned = []
    if not report.exit_code() and not staged.is_released:
        refuse_missing(store, staged)
        if settings.views is not None:
            reporter.warn("the views wait: when the release is out, run 'upload' where the wheels are, too")
        for release in releases:
            refuse_local_wheels(release)
            repository = open_repository(settings)
            selector_files = of_release(release, reporter)
            plan = plan_release(release, settings, store, repository, selector_files, reporter, is_staged=True)
            planned.append(PlannedUpload(release, plan, selector_files, store, repository, settings.public_url))
    return PlannedRelease(staged, report, tuple(planned))


def release(planned: PlannedRelease, reporter: Reporter = SILENT) -> tuple[Published, ...]:
    """List a staged release, one change for each project, and then send the repository's share.

    Running it again finishes what was cut off. Raises Conflict where somebody else changed the stage meanwhile.
    """
    from variant_publish.publish.staging import begin, finish

    if not planned.planned:
        return ()
    store = planned.planned[0].store
    begun = begin(store, planned.staged)
    results = tuple(upload(item, reporter) for item in planned.planned)
    if all(result.is_complete for result in results):
        finish(store, begun)
    store.close()
    return results


def abort_staged(name: str, settings: UploadTable) -> tuple[str, ...]:
    """Withdraw a staged release, and give the names of the files that went."""
    from variant_publish.publish.destinations import open_store
    from variant_publish.publish.staging import abort

    store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
    try:
        return abort(store, name)
    finally:
        store.close()


def _repaired(
    paths: Iterable[Path], folder: Path, repair: Repair, failed: list[VariantPublishError], reporter: Reporter
) -> Iterator[Path]:
    for number, path in enumerate(paths):
        try:
            yield repair(path.absolute(), folder / str(number), reporter.note)
        except VariantPublishError as error:
            failed.append(error)


def _moved(path: Path, folder: Path) -> Path:
    """Copy a file into a folder, where it appears whole or not at all; it may lie on another file system."""
    target = folder / path.name
    with path.open("rb") as source, replacing(target) as stream:
        shutil.copyfileobj(source, stream)
    return target


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and (one[1] == other[1] or "universal2" in (one[1], other[1]))


def _variant_json(variant: Variant, config: Config, priority: Sequence[str]) -> VariantsMetadata:
    if not variant.properties and variant.label != NULL_LABEL:
        raise UsageError(
            f"label {variant.label!r} has no properties, so no installer could choose it",
            hint='say what it needs, for example --property "x86_64 :: level :: v3"',
        )
    namespaces = tuple(priority) or tuple(dict.fromkeys((*config.namespaces, *variant.properties.namespaces)))
    providers = {name: provider_of(name, config.tables.providers.get(name)) for name in namespaces}
    try:
        return VariantsMetadata(namespaces, {variant.label: variant.properties}, providers)
    except InvalidVariantMetadata as error:
        raise UsageError(error.message, hint=error.hint) from error


def _check_renames(paths: Sequence[Path], changes: Sequence[Rewrite]) -> None:
    for rename in {change.rename for change in changes if change.rename is not None}:
        projects = sorted({path.name.partition("-")[0] for path in paths})
        if not any(path.name.endswith(".whl") and _belongs(path, rename) for path in paths):
            raise UsageError(
                f"no wheel here is of the project {rename.old!r} that is to be renamed",
                hint=f"the wheels are of: {', '.join(projects)}",
            )


def _belongs(path: Path, rename: Rename) -> bool:
    try:
        name = WheelName.parse(path.name)
    except VariantPublishError:
        return False  # retagging it will say what is wrong with the name
    return rename.applies_to(name)


@dataclass(frozen=True, slots=True)
class Stub:
    """Hold a selector sdist that was written: its place and hash, and what its backend chooses from."""

    path: Path
    sha256: str
    wheels: int
    variants: tuple[str, ...]


def stub(
    release: str | None,
    config: Config,
    folder: Path,
    *,
    index: str | None = None,
    public_url: str | None = None,
    pyproject: Path | None = None,
    reporter: Reporter = SILENT,
) -> Stub:
    """Write the selector sdist of a release into `folder`: its backend hands over the wheel that fits the machine.

    `release` is a folder of wheels, which will be found below `public_url`, or NAME==VERSION on the index; by default
    what `pyproject` tells. In the mode "requires" the variants may be those of the configuration, without any wheel.
    Raises UsageError where something is missing, VariantPublishError where a wheel cannot be read.
    """
    import hashlib
    from tempfile import TemporaryDirectory

    from variant_publish.stub import contents, source
    from variant_publish.stub.project import metadata_of
    from variant_publish.stub.sdist import write_sdist

    requires = config.stub.mode == "requires"
    project, version, place = source.release_of(release, index, config, pyproject)
    if place is None and not requires:
        raise UsageError("nothing says where the wheels are", hint="name a folder of wheels, or give --index URL")
    with TemporaryDirectory(prefix="variant-publish-") as outlines:
        if place is None:
            found = source.from_config(project, version, config)
        else:
            embeds = config.stub.embed_generic and not requires
            found = source.from_index(project, version, place, public_url, Path(outlines), reporter, embeds=embeds)
        if requires:
            metadata = None if found.wheels else metadata_of(pyproject, project, str(version))
            filled = contents.of_requirements(found, config, metadata)
        else:
            filled = contents.of_wheels(found, config)
        path = write_sdist(filled, folder)
    variants = tuple(dict.fromkeys(variant for row in filled.rows for variant in row.variants))
    return Stub(path, hashlib.sha256(path.read_bytes()).hexdigest(), len(found.wheels), variants)
