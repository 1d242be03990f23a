"""Convert what variantlib and similar tools made: wheels by raw copy, index files, configurations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import tomlkit
from packaging.version import Version

from variant_publish.archive.rewrite import Rewrite
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.zipraw import open_archive
from variant_publish.config.configuration import Config
from variant_publish.config.standard import NAME as STANDARD
from variant_publish.config.standard import editable, toml_tables, write_standard
from variant_publish.dialects.registry import release_of_file
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError, naming
from variant_publish.formats import variantlib_toml
from variant_publish.formats.older_variants import OlderVariants, new_label, unite
from variant_publish.formats.variants_json import SUFFIX, WHEEL_FILE, Provider, VariantsMetadata
from variant_publish.model.variant_marker import VariantMarkers
from variant_publish.progress import Reporter
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.release.release import wheel_paths

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

CONFIGURATION = "variant-publish.toml"
"""The name under which a converted configuration is written."""


class Conversion(msgspec.Struct, frozen=True):
    """What a conversion writes: a rewrite for each wheel, and the text of each other file by its old place."""

    wheels: Mapping[Path, Rewrite]
    texts: Mapping[Path, str]
    configuration: str | None = None


class _Found(msgspec.Struct):
    """Gather the files of one release."""

    wheels: list[tuple[Path, WheelName]] = []
    indexes: list[Path] = []
    parts: list[OlderVariants] = []


def plan(
    places: Iterable[Path],
    providers: Mapping[str, Provider],
    labels: Mapping[str, str],
    metadata_config: str | None,
    reporter: Reporter,
) -> Conversion:
    """Read everything and say what becomes of it; nothing is written.

    `providers` stand for themselves, `labels` are new names of labels. What cannot be kept is reported as a warning.
    Raises the error of the first file that cannot be read: the files of a release explain one another.
    """
    wheels, indexes, configurations = _sorted(places)
    releases: dict[tuple[NormalizedName, Version], _Found] = {}
    for path in wheels:
        name = WheelName.parse(path.name)
        found = releases.setdefault((name.project, name.parsed_version), _Found())
        found.wheels.append((path, name))
        if (text := _variant_json(path, name)) is not None:
            found.parts.append(_parsed(path, text))
    for path in indexes:
        found = releases.setdefault(_release_of(path), _Found())
        found.indexes.append(path)
        found.parts.append(_parsed(path, path.read_bytes()))
    rewrites: dict[Path, Rewrite] = {}
    texts: dict[Path, str] = {}
    for (project, version), found in releases.items():
        planned = _plan_release(f"{project} {version}", found, providers, labels, reporter)
        rewrites |= planned.wheels
        texts |= planned.texts
    others = []
    for path in configurations:
        if (moved := _moved(path)) is not None:
            texts[path] = moved
        else:
            others.append(path)
    configuration = _configuration(others, providers, metadata_config, reporter) if others else None
    return Conversion(rewrites, texts, configuration)


def _plan_release(
    title: str, found: _Found, providers: Mapping[str, Provider], labels: Mapping[str, str], reporter: Reporter
) -> Conversion:
    older, metadata = None, None
    if found.parts:
        with naming(title):
            older = unite(found.parts, providers)
            metadata, notes = older.today(KNOWN_PROVIDERS, providers, labels)
        for note in notes:
            reporter.warn(f"{title}: {note}")
    return Conversion(
        {path: _rewrite(path, name, older, metadata, labels) for path, name in found.wheels},
        {path: metadata.dumps() for path in found.indexes if metadata is not None},
    )


def _rewrite(
    path: Path,
    name: WheelName,
    older: OlderVariants | None,
    metadata: VariantsMetadata | None,
    labels: Mapping[str, str],
) -> Rewrite:
    """Return what becomes of one wheel: its label's part of the metadata, and requirements without variant markers."""
    if name.dialect is None:
        return Rewrite(markers=VariantMarkers())
    if WHEEL_FILE not in name.own_files:
        return Rewrite(name.dialect, name.words)
    if older is None or metadata is None or name.label not in older.variants:
        raise VariantPublishError(
            f"{path} has the label {name.label!r}, and nothing says what it means",
            hint=f"name the release's *{SUFFIX} too, or label the plain wheel with retag",
        )
    properties = older.variants[name.label]
    label = new_label(name.label, properties, labels)
    files = {WHEEL_FILE: metadata.only(label).dumps().encode()}
    return Rewrite(name.dialect, (label,), files, markers=VariantMarkers(label, properties))


def _moved(path: Path) -> str | None:
    """Return a configuration whose variants, providers and priorities stand in the standard `[variant]` table.

    What that has no words for stays where it is; where nothing is left to move, all of it. None where
    `[tool.variant-publish]` declares no variants.
    """
    toml_tables(path.read_bytes(), path)
    document = editable(text := path.read_text("utf-8"), path)
    ours: Any = document.get("tool", {}).get("variant-publish", {})
    variants = ours.get("variants", {})
    if not variants:
        with suppress(UsageError):  # of an older draft
            return text if ours and STANDARD in document and Config.parse(text, str(path)) else None
        return None
    config = Config.parse(text, str(path))
    there = document.get(STANDARD, {}).get("variants", {})
    if all(variant.label in there for variant in config.variants.values()):
        return text
    labels = {variant.label: variant.properties for variant in config.variants.values()}
    write_standard(document, config.namespaces, config.providers, labels)
    for name, table in list(variants.items()):
        table.pop("properties", None)
        if not table:
            del variants[name]
    for key in ("priority", "providers", *(["variants"] if not variants else [])):
        ours.pop(key, None)
    ours.setdefault("dialects", [dialect.name for dialect in config.dialects])
    result = tomlkit.dumps(document)
    Config.parse(result, str(path))  # what is written can be read
    return result


def _configuration(
    paths: Iterable[Path], providers: Mapping[str, Provider], metadata_config: str | None, reporter: Reporter
) -> str:
    tables = [(path, toml_tables(path.read_bytes(), path)) for path in paths]
    sources = ", ".join(path.name for path, _ in tables)
    with naming(sources):
        text, notes = variantlib_toml.converted(
            [table for _, table in tables], KNOWN_PROVIDERS, providers, metadata_config
        )
    for note in notes:
        reporter.warn(f"{sources}: {note}")
    Config.parse(text, CONFIGURATION)  # what is written can be read
    return f"# Converted from {sources}.\n\n{text}"


def _sorted(places: Iterable[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    """Sort the places into wheels, index files and configurations; folders stand for what is directly inside."""
    wheels: list[Path] = []
    others: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = sorted(place.glob(f"*{SUFFIX}"))
            others += inside
            wheels += wheel_paths([place]) if not inside or any(place.glob("*.whl")) else []
        elif place.suffix == ".whl" or not place.exists():
            wheels += wheel_paths([place])
        else:
            others.append(place)
    indexes = [path for path in others if path.name.endswith(SUFFIX)]
    configurations = [path for path in others if path.suffix == ".toml"]
    if odd := [path for path in others if path not in indexes and path not in configurations]:
        raise UsageError(
            f"{odd[0]} is none of the files that convert knows", hint=f"name wheels, *{SUFFIX}, *.toml, or folders"
        )
    return wheels, indexes, configurations


def _variant_json(path: Path, name: WheelName) -> bytes | None:
    with open_archive(path) as archive:
        return WholeWheel.of(archive, name, variant_json=False).info.get(WHEEL_FILE)


def _parsed(path: Path, content: bytes) -> OlderVariants:
    with naming(path):
        return OlderVariants.parse(content)


def _release_of(path: Path) -> tuple[NormalizedName, Version]:
    if (found := release_of_file(path.name)) is None:
        raise UsageError(f"{path} is not named like an index file", hint=f"name it like foo-1.0{SUFFIX}")
    return found
