"""For maintainers: build the wheels of variants, repair them, and give the jobs that do so elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from variant_publish.api.retagging import Execution, RetagOptions, retag, rewrites
from variant_publish.archive.atomic import replacing
from variant_publish.build.frontend import Builder, configuration, is_sdist
from variant_publish.build.repair import Repair
from variant_publish.check.engine.grid import Grid, State
from variant_publish.config.configuration import Config
from variant_publish.config.tables import DEFAULT_FILE, TABLE, Frontend
from variant_publish.errors import UsageError
from variant_publish.formats.variants_json import ABI_DEPENDENCY
from variant_publish.model.build_job import BuildJob, machine_of
from variant_publish.model.matrix import Cell
from variant_publish.model.variant import GENERIC, Properties, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.release.release import load


class RepairOptions(msgspec.Struct, frozen=True):
    """How wheels are repaired: auditwheel's `plat`, libraries that stay outside, and further options of the tool."""

    plat: str | None = None
    exclude: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def repair_for(variant: Variant | None, options: RepairOptions | None = None) -> Repair:
    """Return the repair of the wheels of a variant, or of the generic one (None), for `retag` and `build`.

    auditwheel's check for code beyond the baseline yields to the x86-64 level that the variant claims.
    """
    options = options or RepairOptions()
    properties = Properties() if variant is None else variant.properties or catalog.properties_of_words(variant.tags)
    levels = [int(value[1:]) for value in properties.values("x86_64", "level")]
    return Repair(min(levels, default=None), options.plat, options.exclude, options.options)


def source_configuration(source: Path) -> Config:
    """Return the configuration of a project's folder or sdist; raise UsageError where it is neither."""
    return Config.parse(configuration(source), str(source / DEFAULT_FILE))


def builder(
    config: Config, frontend: str | None = None, python: str | None = None, arguments: Sequence[str] = ()
) -> Builder:
    """Return the frontend that a configuration names, or another one, run by an interpreter, by default this one."""
    table = config.tables.build
    return Builder(Frontend(frontend or table.frontend), python or sys.executable, (*table.arguments, *arguments))


class BuildOptions(msgspec.Struct, frozen=True):
    """What is built and how: the variants by name ("generic" too), the frontend, and the repair, if any."""

    names: tuple[str, ...]
    builder: Builder
    repair: RepairOptions | None = None


class Built(msgspec.Struct, frozen=True):
    """The wheels of one variant that were built, where they lie now; without a variant, the sdist."""

    variant: str | None
    files: tuple[Path, ...]


def build(
    source: Path, folder: Path, config: Config, options: BuildOptions, reporter: Reporter = SILENT
) -> Iterator[Built]:
    """Make the sdist of a project's folder, or take a ready one, then build and retag the wheels of each variant.

    Each variant is built from a fresh copy of the sdist with its own settings. Files appear whole in `folder`, in place
    of older ones of the same name. Raises UsageError for what cannot be built at all, before anything is built, and
    BuildFailed with the exit code of the frontend.
    """
    variants = {name: None if name == GENERIC else config.variant(name) for name in options.names}
    changes = {
        name: rewrites(one, config, RetagOptions(declared=config.changes_of(name))) for name, one in variants.items()
    }
    repairs = {name: repair_for(one, options.repair) if options.repair else None for name, one in variants.items()}
    ready, frontend = is_sdist(source), options.builder
    frontend.preflight()
    for repair in filter(None, repairs.values()):
        repair.preflight()
    with TemporaryDirectory(prefix="variant-publish-") as temporary:
        place = Path(temporary).resolve()
        sdist = source.resolve() if ready else frontend.sdist(source, place / "sdist", reporter.note)
        yield Built(None, (_moved(sdist, folder),))
        for number, name in enumerate(variants):
            settings, own_place = config.settings_of(name), place / str(number)
            reporter.note(f"building {name}{f' with {settings}' if settings else ''}")
            wheels = frontend.wheels(sdist, own_place, name, settings, reporter.note)
            execution = Execution(repair=repairs[name])
            result = retag(wheels, own_place / "retagged", changes[name], reporter, execution=execution)
            for error in result.failed:
                raise error
            yield Built(name, tuple(_moved(retagged.path, folder) for retagged in result.done))


def buildable(config: Config, platform: str) -> tuple[str, ...]:
    """Return the builds, generic first, that the configuration declares for the machine of a platform tag.

    A variant without declared platforms is for every machine; one whose cells are all skipped is not built.
    """
    here, found = machine_of(platform), []
    kept = {cell.variant for cell in config.matrix.cells()} if config.matrix else set()
    skipped = {cell.variant for cell in config.matrix.all_cells()} - kept if config.matrix else set()
    for name in (GENERIC, *config.variants):
        if name in skipped:
            continue
        own = config.platforms_of(name)
        if not own or any(_alike(machine_of(one), here) for one in own):
            found.append(name)
    return tuple(found)


def plan_matrix(config: Config, places: Sequence[Path] = ()) -> tuple[BuildJob, ...]:
    """Return the build jobs of the declared matrix; with places, only those of cells that no wheel there fills.

    Raises UsageError where the configuration declares no matrix.
    """
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
        BuildJob.of(
            cell, config.build_settings[cell.variant], {**_abi(config, cell), **config.matrix.settings_of(cell)}
        )
        for cell in cells
        if cell not in filled
    )


def _abi(config: Config, cell: Cell) -> dict[str, str]:
    """Return the release of each dependency that a cell is built against; "" where another variant has one."""
    tables = {name: one.properties.grouped.get(ABI_DEPENDENCY, {}) for name, one in config.variants.items()}
    names = sorted({name for table in tables.values() for name in table})
    return {name: " ".join(tables.get(cell.variant, {}).get(name, ())) for name in names}


def _moved(path: Path, folder: Path) -> Path:
    """Copy a file into a folder, where it appears whole or not at all; it may lie on another file system."""
    target = folder / path.name
    if target.resolve() == path.resolve():
        return target
    with path.open("rb") as source, replacing(target) as stream:
        shutil.copyfileobj(source, stream)
    return target


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and (one[1] == other[1] or "universal2" in (one[1], other[1]))
