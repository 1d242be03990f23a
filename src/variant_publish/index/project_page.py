"""What people see on a project's page: for each release, its variants and platforms, and which machines need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec
from packaging.version import Version

from variant_publish.dialects.registry import dialect_of_file
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import InvalidMaster, ProjectIndex
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.model.variant import GENERIC, NULL_LABEL, Property
from variant_publish.providers import catalog

EVERY_MACHINE = "every machine"
_MANY_CELLS = 20_000


class FileLink(msgspec.Struct, frozen=True):
    """One file: its entry, and its name in three parts, of which people see the middle one in a grid."""

    file: IndexFile
    parts: tuple[str, str, str]

    @property
    def href(self) -> str:
        """Return the link with the hash, where one is known."""
        return href_of(self.file)


class GridRow(msgspec.Struct, frozen=True):
    """One variant of a release: what it needs, and its wheels for each platform.

    A cell has one entry for each build: its links, several where the same build is there in several dialects.
    """

    variant: str
    needs: str
    cells: tuple[tuple[tuple[FileLink, ...], ...], ...]


class ReleaseGrid(msgspec.Struct, frozen=True, dict=True):
    """One release: a grid of its wheels, and every other file. `yanked` is the reason where all wheels are yanked."""

    version: str
    platforms: tuple[str, ...]
    rows: tuple[GridRow, ...]
    others: tuple[IndexFile, ...]
    yanked: str | None
    date: str = ""
    wheels: int = 0

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Return the variants besides the generic wheels."""
        return tuple(row.variant for row in self.rows if row.variant != GENERIC)

    @cached_property
    def local_versions(self) -> Mapping[str, str]:
        """Return the local versions of the wheels by their variant, which plain installers choose by its version."""
        links = (link for row in self.rows for cell in row.cells for build in cell for link in build)
        names = (name for link in links if (name := _name(link.file.filename)) is not None)
        found = {name.version for name in names if "+" in name.version}
        return {version.partition("+")[2]: version for version in sorted(found, reverse=True)}

    @property
    def is_view(self) -> bool:
        """Return whether this is a page of one variant, as a local version that every installer prefers."""
        return len(self.local_versions) == 1 and len(self.variants) == 1


def href_of(file: IndexFile) -> str:
    """Return the link to a file with its hash, where one is known."""
    return f"{file.url}#sha256={file.sha256}" if file.sha256 else file.url


def releases_of(index: ProjectIndex) -> tuple[ReleaseGrid, ...]:
    """Return the releases, newest first."""
    owner = {filename: version for version, names in index.selectors.items() for filename in names}
    groups: dict[str, list[IndexFile]] = {}
    for file in index.files:
        version = owner.get(file.filename) or version_of(file.filename) or ""
        groups.setdefault(Version(version).public if version else "", []).append(file)
    ordered = sorted(groups, key=lambda text: Version(text or "0"), reverse=True)
    return tuple(_grid(version, groups[version], index.needs.get(version, {})) for version in ordered)


def newest(releases: tuple[ReleaseGrid, ...]) -> ReleaseGrid | None:
    """Return the newest release that has wheels and is not yanked; of pre-releases only where there is no other."""
    found = [item for item in releases if item.rows and item.yanked is None]
    return next((item for item in found if not Version(item.version).is_prerelease), found[0] if found else None)


def _grid(version: str, files: list[IndexFile], needs: Mapping[str, str]) -> ReleaseGrid:
    parsed = {file.filename: _name(file.filename) for file in files}
    wheels = [(name, file) for file in files if (name := parsed[file.filename]) is not None]
    platforms = tuple(sorted({_platform(name) for name, _ in wheels}, key=_platform_order))
    variants = sorted({_variant(name) for name, _ in wheels}, key=lambda text: (text != GENERIC, text))
    if len(variants) * len(platforms) > _MANY_CELLS:
        raise InvalidMaster(
            f"release {version or 'without a version'}",
            f"has {len(variants)} variants for {len(platforms)} platforms, more than a page shows",
        )
    cells: dict[tuple[str, str], list[tuple[WheelName, IndexFile]]] = {}
    for name, file in wheels:
        cells.setdefault((_variant(name), _platform(name)), []).append((name, file))
    rows = [
        GridRow(
            variant,
            _everyone(variant) or needs.get(variant, ""),
            tuple(_cell(cells.get((variant, platform), [])) for platform in platforms),
        )
        for variant in variants
    ]
    reasons = {file.yanked for _, file in wheels}
    return ReleaseGrid(
        version,
        platforms,
        tuple(rows),
        tuple(file for file in files if parsed[file.filename] is None),
        next(iter(reasons)) if len(reasons) == 1 else None,
        min((file.upload_time[:10] for file in files if file.upload_time), default=""),
        len(wheels),
    )


def _cell(wheels: list[tuple[WheelName, IndexFile]]) -> tuple[tuple[FileLink, ...], ...]:
    """Return the builds of a cell: the same one in two dialects stands together."""
    builds: dict[str, list[FileLink]] = {}
    for name, file in wheels:
        links = builds.setdefault(str(name.generic()), [])
        label = _label(name) if not links else _mark(name)
        before, found, after = file.filename.partition(label)
        links.append(FileLink(file, (before, found, after) if found else ("", file.filename, "")))
    return tuple(map(tuple, builds.values()))


def _mark(name: WheelName) -> str:
    """Return the end of the name by which a second dialect differs from the first."""
    return str(name).rpartition(name.platform[-1])[2].removesuffix(".whl") or str(name)


def _name(filename: str) -> WheelName | None:
    try:
        return WheelName.parse(filename) if filename.endswith(".whl") else None
    except InvalidWheelName:
        return None


def _variant(name: WheelName) -> str:
    _, plus, local = name.version.partition("+")
    return local if plus and name.variant == GENERIC else name.variant


def _label(name: WheelName) -> str:
    python, abi = ".".join(name.plain.python), ".".join(name.plain.abi)
    return python if abi in (python, "none") else f"{python}-{abi}"


def _platform(name: WheelName) -> str:
    """Return the most telling of a wheel's platforms: of manylinux's aliases the one with the C library's version."""
    return next((item for item in name.platform if item.startswith("manylinux_")), name.platform[0])


def _platform_order(platform: str) -> tuple[int, str]:
    kinds = ("any", "manylinux", "musllinux", "linux", "macosx", "win")
    return next((rank for rank, kind in enumerate(kinds) if platform.startswith(kind)), len(kinds)), platform


def _everyone(variant: str) -> str:
    return EVERY_MACHINE if variant in (GENERIC, NULL_LABEL) else ""


def needs_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return variant -> what a machine needs for it, in words, from the texts of the selector files of a release."""
    result: dict[str, str] = {}
    for name, text in texts.items():
        dialect = dialect_of_file(name)
        try:
            data = dialect.parse(text) if dialect is not None else None
            if isinstance(data, SelectorFile):
                result = {**dict(_of_selector(data)), **result}
            elif dialect is not None:
                result |= {word: ", ".join(_sentences(has.items)) for word, has in dialect.meanings(data).items()}
        except VariantPublishError:
            continue  # `check` and `verify` say what is wrong with it; the page shows the wheels all the same
    return result


def _sentences(properties: Iterable[Property]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in properties:
        groups.setdefault((item.namespace, item.feature), []).append(item.value)
    for (namespace, feature), values in groups.items():
        provider, text = catalog.find(namespace), " or ".join(values)
        yield provider.sentence(feature, text) if provider else f"{namespace} {feature} {text}"


def _of_selector(selector: SelectorFile) -> Iterator[tuple[str, str]]:
    for variable in selector.variables:
        admitted = selector.selectors[variable].admitted
        for tag in filter(None, admitted):
            if words := catalog.properties_of_word(tag):
                yield tag, ", ".join(_sentences(words))
            elif len(values := admitted[tag]) < 2:
                yield tag, f"{variable} {values[0] if values else 'of any other value'}"
            else:
                yield tag, f"{variable} {values[0]} to {values[-1]}"
