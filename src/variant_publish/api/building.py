"""For maintainers: build the wheels of variants, repair them, and give the jobs that do so elsewhere.

Each function imports the room that does its work.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from variant_publish.api.retagging import RetagOptions, retag, rewrites
from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.config.tables import TABLE
from variant_publish.errors import UsageError
from variant_publish.model.build_job import BuildJob, machine_of
from variant_publish.model.matrix import Cell
from variant_publish.model.variant import GENERIC, Properties, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.release import load

if TYPE_CHECKING:
    from variant_publish.build.frontend import Builder
    from variant_publish.build.repair import Repair

__all__ = ["Built", "build", "buildable", "plan_matrix", "repair_for"]


def repair_for(
    variant: Variant | None, *, plat: str | None = None, exclude: Sequence[str] = (), options: Sequence[str] = ()
) -> Repair:
    """Return the repair of the wheels of a variant, or of the generic one (None), for `retag` and `build`.

    auditwheel's check for code beyond the baseline yields to the x86-64 level that the variant claims. `plat` is its
    platform, `exclude` names libraries that stay outside, `options` go to auditwheel or delocate as they are.
    """
    from variant_publish.build.repair import Repair
    from variant_publish.providers import catalog

    properties = Properties() if variant is None else variant.properties or catalog.properties_of_words(variant.tags)
    levels = [int(value[1:]) for value in properties.values("x86_64", "level")]
    return Repair(min(levels, default=None), plat, tuple(exclude), tuple(options))


@dataclass(frozen=True, slots=True)
class Built:
    """The wheels of one variant that were built and retagged, where they lie now."""

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
    from variant_publish.build.source_tree import is_sdist

    variants = {name: None if name == GENERIC else config.variant(name) for name in names}
    changes = {
        name: rewrites(one, config, RetagOptions(declared=config.changes_of(name))) for name, one in variants.items()
    }
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
    """Return the builds, generic first, that the configuration declares for the machine of a platform tag.

    A variant without declared platforms is for every machine.
    """
    here, found = machine_of(platform), []
    everywhere = config.matrix.platform if config.matrix else ()
    for name in (GENERIC, *config.variants):
        own = everywhere if name == GENERIC else config.tables.variants[name].platform or everywhere
        if not own or any(_alike(machine_of(one), here) for one in own):
            found.append(name)
    return tuple(found)


def plan_matrix(config: Config, places: Sequence[Path] = ()) -> tuple[BuildJob, ...]:
    """Return the build jobs of the declared matrix; with places, only those of cells that no wheel there fills.

    Raises UsageError where the configuration declares no matrix.
    """
    from variant_publish.check.engine.grid import Grid, State

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


def _moved(path: Path, folder: Path) -> Path:
    """Copy a file into a folder, where it appears whole or not at all; it may lie on another file system."""
    target = folder / path.name
    with path.open("rb") as source, replacing(target) as stream:
        shutil.copyfileobj(source, stream)
    return target


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and (one[1] == other[1] or "universal2" in (one[1], other[1]))
