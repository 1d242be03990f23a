"""The wheels that builds left, and the variant that each of them is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import WholeWheel
from variant_publish.build.proposal import Found, is_as_large_as_generic
from variant_publish.config.configuration import Config
from variant_publish.config.tables import ChangesTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.model.tags import platform_covers
from variant_publish.model.variant import GENERIC
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.release.release import wheel_paths


class BuiltGroup(msgspec.Struct, frozen=True):
    """Wheels that become the same variant, or generic ones, by the same changes."""

    variant: str
    changes: ChangesTable
    paths: tuple[Path, ...] = ()


class BuiltWheel(msgspec.Struct, frozen=True):
    """A wheel, what its name and size tell (None where its name is not one of a wheel), and the changes it gets."""

    path: Path
    variant: str
    found: Found | None
    changes: ChangesTable

    @property
    def key(self) -> tuple[str, ...]:
        """Return what tells generic wheels apart once they are renamed."""
        if self.found is None:
            return (str(self.path),)
        name, rename = self.found.name, self.changes.rename
        project = canonicalize_name(rename.new) if rename and rename.applies_to(name) else name.project
        return (project, name.version, name.plain.build, *sorted(map(str, name.tags)))


def built_groups(places: Iterable[Path], config: Config, reporter: Reporter = SILENT) -> tuple[BuiltGroup, ...]:
    """Return the wheels in the places by what they become: generic ones, then those of each variant.

    A wheel is of the variant that its folder is named after, else of the one whose `rename` names its project. It is
    generic after all where its platform has no such hardware, where the configuration has the variant for other
    platforms only, or where it has no more in it than the generic wheel of another project. If that one is there it is
    the generic wheel, and this one is left out, with a note. Raises UsageError where nothing says what a wheel is.
    """
    wheels = [_built(path, config) for part in _folders(places) for path in wheel_paths([part])]
    generic = {one.key: one for one in wheels if one.variant == GENERIC}
    groups: dict[tuple[bool, str], BuiltGroup] = {}
    for one in wheels:
        why = _why_generic(one, config, wheels)
        if why and (twin := generic.setdefault(one.key, one)) is not one:
            reporter.note(f"{one.path} is left out: {why}, and {twin.path} is the generic wheel of its tags")
            continue
        empty = BuiltGroup(one.variant, one.changes)
        if why:  # what a variant requires is nothing to a generic wheel; its old name is
            empty = BuiltGroup(GENERIC, ChangesTable(rename=one.changes.rename))
        group = groups.get((bool(why), one.variant), empty)
        groups[bool(why), one.variant] = replace(group, paths=(*group.paths, one.path))
    order = (GENERIC, *config.variants)
    return tuple(sorted(groups.values(), key=lambda group: order.index(group.variant)))


def _folders(places: Iterable[Path]) -> Iterator[Path]:
    """Return each place, and before it the folders with wheels that it contains."""
    for place in places:
        inside = sorted({path.parent for path in place.glob("*/*.whl")}) if place.is_dir() else []
        yield from inside
        if not inside or any(place.glob("*.whl")):
            yield place


def _built(path: Path, config: Config) -> BuiltWheel:
    name = None
    with suppress(VariantPublishError):  # retagging it will say what is wrong with the name
        name = WheelName.parse(path.name)
    variants = (GENERIC, *config.variants)
    folder = path.resolve().parent.name
    renames = ((one, config.changes_of(one).rename) for one in variants if folder not in variants and name)
    by_name = (one for one, rename in renames if rename and name and rename.applies_to(name))
    variant = folder if folder in variants else next(by_name, None)
    if variant is None:
        raise UsageError(
            f"nothing says of which variant {path} is",
            hint=f"put it into a folder called {', '.join(variants)}, or declare a rename",
        )
    found = Found(name, variant, path.stat().st_size) if name else None
    return BuiltWheel(path, variant, found, config.changes_of(variant))


def _why_generic(one: BuiltWheel, config: Config, wheels: Sequence[BuiltWheel]) -> str:
    """Return why a wheel of a variant is generic after all, "" where it is not."""
    if one.variant == GENERIC or one.found is None:
        return ""
    properties, name = config.variants[one.variant].properties, one.found.name
    if not catalog.exist_on(properties, name.platform):
        return "its platform has no such hardware"
    matrix = config.matrix
    own = dict(matrix.variants).get(one.variant, ()) if matrix else ()
    if matrix and _covers(name, matrix.platform) and not _covers(name, own):
        return f"the configuration has {one.variant} for other platforms"
    if is_as_large_as_generic(one.found, properties, [other.found for other in wheels if other.found]):
        with suppress(VariantPublishError):  # retagging it will say that it is broken
            if not Found.of(WholeWheel.read(one.path), one.variant).seen:
                return "it has no code for such hardware"
    return ""


def _covers(name: WheelName, platforms: Iterable[str]) -> bool:
    return any(platform_covers(own, platform) for own in name.platform for platform in platforms)
