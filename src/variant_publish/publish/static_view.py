"""What a static view has: what a machine with the hardware of one variant sees of a release, under local versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from packaging.version import Version

from variant_publish.dialects.local_version import local_of
from variant_publish.dialects.registry import dialect_of
from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.formats.variants_json import ABI_DEPENDENCY, Provider, VariantsMetadata
from variant_publish.model.variant import GENERIC, Properties, Property
from variant_publish.providers.catalog import find, properties_of_words
from variant_publish.providers.machine import Machine
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.view import View

W = TypeVar("W")

LOCAL = dialect_of("local")
_HARDWARE = Property("view", "hardware", "this")
_PROVIDERS = {
    ABI_DEPENDENCY: Provider(builtin=ABI_DEPENDENCY),
    "view": Provider(static_properties={"hardware": ("this",)}),
}


def by_view(release: Release, wheels: Iterable[tuple[WheelName, W]]) -> dict[str, dict[str, tuple[W, tuple[str, ...]]]]:
    """Return what views are made of: view -> the name of a wheel in it -> what it is made of, and what it requires.

    What a machine of the hardware sees is written down, with that hardware as a local version, which every installer
    prefers to the generic wheel; so no wheel is to stand before another by its tags, and each keeps its own.
    """
    groups: dict[str, dict[str, tuple[WheelName, W]]] = {}
    for name, wheel in wheels:
        if name.dialect is not None and not name.serves_everyone:
            groups.setdefault(_view_of(release, name), {})[str(name)] = (name, wheel)
    found: dict[str, dict[str, tuple[W, tuple[str, ...]]]] = {}
    for view, group in groups.items():
        hardware = [] if view == GENERIC else [local_of(view)]
        for file in _seen([(name, _parts(_properties(release, name))[1], None) for name, _ in group.values()]).files:
            name, wheel = group[file.source.url]
            if name.chosen_by_installers:
                local = [*hardware, file.version.local] if file.abi and file.version.local else hardware
                made = name.with_variant(LOCAL, (".".join(local),))
                found.setdefault(view, {}).setdefault(str(made), (wheel, file.requires))
            else:
                found.setdefault(view, {})[str(name)] = (wheel, ())
    return found


def _seen(builds: Iterable[tuple[WheelName, Properties, str | None]], others: Iterable[IndexFile] = ()) -> View:
    """Return what a machine sees that has the hardware of some wheels, and no other hardware.

    Each wheel comes with the ABI that it is built against and its Requires-Python; `url` of a source is its name.
    """
    builds = list(builds)
    labels = {abi: f"v{number}" for number, abi in enumerate(dict.fromkeys(abi for _, abi, _ in builds))}
    variants = {label: Properties((*abi.items, _HARDWARE)) for abi, label in labels.items()}
    selectors = SelectorFiles.of(VariantsMetadata(tuple(_PROVIDERS), variants, _PROVIDERS))
    wheels = [
        IndexFile(str(name.with_variant(selectors.dialect, (labels[abi],))), str(name), "", requires_python=python)
        for name, abi, python in builds
    ]
    releases = dict.fromkeys((name.release_version for name, _, _ in builds), selectors)
    return View.of([*wheels, *others], releases, Machine({}, (), "3"))


def _view_of(release: Release, name: WheelName) -> str:
    """Return the view of a variant: the label of its hardware; "generic" for one that differs by its ABI alone.

    Where no variant has the hardware alone, the first one that is declared gives the label, without its ABI.
    """
    properties = _properties(release, name)
    hardware, _ = _parts(properties)
    declared = release.config.variants.get(release.variant_of(name))
    label = declared.label if declared is not None else name.label or GENERIC
    if hardware == properties:
        return label
    if not hardware:
        return GENERIC
    same = [one for one in release.config.variants.values() if _parts(one.properties)[0] == hardware]
    alone = (one.label for one in same if one.properties == hardware)
    first = (_without_abi(one.label, one.properties) for one in same)
    return next(alone, None) or next(first, None) or _without_abi(label, properties)


def _parts(properties: Properties) -> tuple[Properties, Properties]:
    """Return what a variant asks of the hardware, and what is left to the installer's own resolver: its ABI."""
    resolved = {name for name in properties.namespaces if (own := find(name)) is not None and own.is_resolved}
    abi = tuple(item for item in properties.items if item.namespace in resolved)
    return Properties(tuple(item for item in properties.items if item not in abi)), Properties(abi)


def _properties(release: Release, name: WheelName) -> Properties:
    declared = release.config.variants.get(release.variant_of(name))
    return declared.properties if declared is not None else properties_of_words(name.words)


def _without_abi(label: str, properties: Properties) -> str:
    for item in _parts(properties)[1].items:
        word = f"{item.feature}{item.value}"
        label = label.replace(word, "").replace(word.replace(".", "_"), "")
    return label.strip("._")


def links_of(
    files: Iterable[IndexFile], release: Version, view: str, own: Iterable[IndexFile], listed: ProjectIndex | None
) -> Iterator[str]:
    """Return the files of the release that a view links: sdists, and generic wheels that a machine still sees there."""
    here = {entry.filename: entry for entry in own}
    here |= {file.filename: file for file in (listed.files if listed else ()) if is_own(file, release)}
    named = [(WheelName.parse(filename), entry) for filename, entry in here.items()]
    # A build against one version of a dependency serves nobody with another one, so the generic wheel stays.
    whole = [(name.without_local(), Properties(), entry.requires_python) for name, entry in named
             if name.parsed_version.local == local_of(view)]  # fmt: skip
    others = {file.filename: file for file in reversed([*files]) if _is_for_all(file.filename, str(release))}
    seen = {file.source.filename for file in _seen(whole, others.values()).files}
    yield from sorted(seen & others.keys())


def _is_for_all(filename: str, version: str) -> bool:
    name = WheelName.find(filename)
    return version_of(filename) == version and (name is None or name.dialect is None)


def is_own(file: IndexFile, version: Version) -> bool:
    """Return whether a view holds the file as a local version of the release."""
    text = version_of(file.filename)
    return bool(file.is_hosted and text and Version(text).local and Version(Version(text).public) == version)


def is_made_of(filename: str, version: str, chosen: set[str], index: ProjectIndex) -> bool:
    """Return whether a wheel of a view is one of the chosen files under its local version."""
    name = WheelName.find(filename)
    if name is None or not name.parsed_version.local or name.parsed_version.public != version:
        return False
    every = [variant for variant, _ in wheels_among(index.distributions) if variant.dialect is not None]
    same = [variant for variant in every if variant.generic() == name.without_local()]
    # A declared label can be another than the tags: then nothing tells the variants apart.
    found = [variant for variant in same if local_of(variant.label) == name.parsed_version.local] or same
    return any(str(variant) in chosen for variant in found)
