"""What stands in a selector sdist: release.json, which its backend reads, and PKG-INFO."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from variant_publish.archive.dist_info import ABI_REQUIRES
from variant_publish.archive.plan import Plan
from variant_publish.archive.rewrite import Rewrite
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.configuration import Config
from variant_publish.config.tables import TABLE
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.installed import INSTALLED_FILE, InstalledVariant
from variant_publish.formats.metadata import Metadata
from variant_publish.index.project_page import needs_of
from variant_publish.model.tags import modern_platform
from variant_publish.model.variant import GENERIC, NULL_LABEL
from variant_publish.stub.rows import Row, rows_of, variables_of
from variant_publish.stub.source import Offered, Source, names_of

RELEASE = "release.json"
PKG_INFO = "PKG-INFO"
EMBEDDED = "wheels"

_SHOWN = ("METADATA", "WHEEL", "entry_points.txt", ABI_REQUIRES)
"""What installers read before they have the wheel, and what a plain copy of it may change."""

_OWN_FIELDS = ("metadata-version", "name", "version", "dynamic", "license-file")
"""Header fields that are not copied as they are: an sdist without sources has no licence files, either."""


class Contents(msgspec.Struct, frozen=True):
    """The texts of an sdist by their paths, and the wheels that it holds in itself."""

    project: str
    version: str
    texts: Mapping[str, bytes]
    embedded: Mapping[str, Offered] = {}
    rows: tuple[Row, ...] = ()

    @property
    def distribution(self) -> str:
        """Return the name as file names have it (PEP 625)."""
        return self.project.replace("-", "_")


def of_wheels(source: Source, config: Config) -> Contents:
    """Return the contents of an sdist whose backend fetches a wheel."""
    embeds = config.stub.embed_generic
    if config.stub.fallback == "generic" and not any(item.name.serves_everyone for item in source.wheels):
        raise UsageError(
            f"{source.project} {source.version} has no generic wheel to fall back to",
            hint=f"publish one, or leave out {TABLE}.stub.fallback",
        )
    if unplaced := [item.name for item in source.wheels if not item.url]:
        raise UsageError(
            f"nothing says where users will find {unplaced[0]}",
            hint=f"use --public-url URL, or {TABLE}.upload.public-url",
        )
    texts: dict[str, str] = {}
    metadatas: list[Metadata] = []
    wheels = []
    embedded = {}
    for item in source.wheels:
        table, info = _plain(item, source)
        for file, content in info.items():
            text = content.decode("utf-8", "surrogateescape")
            key = hashlib.sha256(content).hexdigest()[:16]
            texts[key] = text
            table["info"][file] = key
        metadatas.append(Metadata.parse(info["METADATA"]))
        if embeds and item.name.serves_everyone:
            table["embedded"] = f"{EMBEDDED}/{item.name}"
            embedded[table["embedded"]] = item
        wheels.append(table)
    rows = rows_of(source.files, source.dialect, names_of(source, config))
    release = {**_head(source, config, rows), "wheels": wheels, "texts": texts}
    return Contents(source.project, str(source.version), _files(release, pkg_info(metadatas)), embedded, rows)


def of_requirements(source: Source, config: Config, metadata: Metadata | None = None) -> Contents:
    """Return the contents of an sdist whose backend requires another project for each variant.

    `metadata` is what is known of the project, by default what its wheels say. Raises UsageError where a variant has
    no project.
    """
    if metadata is None:
        metadata = Metadata.parse(
            pkg_info([Metadata.parse(_plain(item, source)[1]["METADATA"]) for item in source.wheels])
        )
    requires = {
        variant: list(_requirements(name, config, source.version, metadata))
        for variant, name in _variant_names(source, config).items()
    }
    if config.stub.fallback == "generic" and GENERIC not in requires:
        raise UsageError(
            "no project is named for the generic build", hint=f'write {TABLE}.stub.requires.generic = "NAME"'
        )
    rows = tuple(
        Row(row.when, tuple(variant for variant in row.variants if variant in requires))
        for row in rows_of(source.files, source.dialect, names_of(source, config))
    )
    release = {**_head(source, config, rows), "requires": requires}
    info = bytes(_with_dynamic(metadata, ["Requires-Dist"]))
    return Contents(source.project, str(source.version), _files(release, info), rows=rows)


def pkg_info(metadatas: Sequence[Metadata]) -> bytes:
    """Return PKG-INFO (metadata 2.2, "Dynamic"): what all wheels have alike stands in it, all else is dynamic."""
    first = metadatas[0]
    fields = dict.fromkeys(name for metadata in metadatas for name in _fields(metadata))
    dynamic = [
        name
        for name in fields
        if name.lower() not in _OWN_FIELDS and len({metadata.values(name) for metadata in metadatas}) > 1
    ]
    body = first.body if len({metadata.body for metadata in metadatas}) == 1 else b"\n"
    if body != first.body and "Description" not in dynamic:
        dynamic.append("Description")
    return bytes(_with_dynamic(Metadata(first.headers, body), dynamic))


def _with_dynamic(metadata: Metadata, dynamic: Sequence[str]) -> Metadata:
    version = max(Version(metadata.values("Metadata-Version")[0]), Version("2.2"))
    names = [*dynamic, *(["License-File"] if version >= Version("2.4") and metadata.values("License-File") else [])]
    left_out = {*_OWN_FIELDS, *(name.lower() for name in dynamic)}
    kept = [
        header if header.endswith(b"\n") else header + b"\n"
        for header in metadata.headers
        if header.partition(b":")[0].decode("ascii", "replace").lower() not in left_out
    ]
    lines = [f"Metadata-Version: {version}", f"Name: {metadata.name}", f"Version: {metadata.version}"]
    lines += [f"Dynamic: {name}" for name in names]
    return Metadata((*(f"{line}\n".encode() for line in lines), *kept), metadata.body or b"\n")


def _fields(metadata: Metadata) -> Iterator[str]:
    for header in metadata.headers:
        yield header.partition(b":")[0].decode("ascii", "replace")


def _files(release: Mapping[str, Any], info: bytes) -> dict[str, bytes]:
    return {PKG_INFO: info, RELEASE: (json.dumps(release, indent=1, sort_keys=True) + "\n").encode()}


def _head(source: Source, config: Config, rows: Sequence[Row]) -> dict[str, Any]:
    needs = needs_of(source.files.texts(source.project, str(source.version)))
    variants = dict.fromkeys(name.variant for name in names_of(source, config))
    described = {
        variant: "for every machine" if variant in (GENERIC, NULL_LABEL) else _needs(variant, needs)
        for variant in variants
    }
    return {
        "schema-version": 1,
        "mode": config.stub.mode,
        "fallback": config.stub.fallback,
        "name": source.project,
        "distribution": source.project.replace("-", "_"),
        "version": str(source.version),
        "index": source.index,
        "variables": list(variables_of(source.files, source.dialect)),
        "variants": described,
        "rows": [row.table() for row in rows],
    }


def _needs(variant: str, needs: Mapping[str, str]) -> str:
    return needs.get(variant) or ", ".join(needs[tag] for tag in variant.split("+") if tag in needs)


def _plain(item: Offered, source: Source) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the entry of a wheel, and the dist-info files of its plain copy, as retagging would write them."""
    with item.opened() as archive:
        wheel = WholeWheel.of(archive, item.name)
        info = {file: content for file, content in wheel.info.items() if file in _SHOWN}
        changed: list[str] = []
        dropped: list[str] = []
        if item.name.dialect is not None:
            plan = Plan.of_archive(archive, item.name, Rewrite(drop_signatures=True))
            new = {path.rpartition("/")[2]: content for path, (content, _) in plan.added.items()}
            changed = sorted(set(new) - {"RECORD"})
            info.update({file: new[file] for file in changed})
            gone = {archive.directory.names[index].rpartition("/")[2] for index in plan.touched}
            dropped = sorted(gone - set(new))
            info = {file: content for file, content in info.items() if file not in dropped}
            info[INSTALLED_FILE] = _record(item, source).dumps().encode()
            changed.append(INSTALLED_FILE)
    _refuse_markers(info["METADATA"], item)
    name = item.name
    build = parse_wheel_filename(str(name.generic()))[2]
    tags = sorted({(tag.interpreter, tag.abi, modern_platform(tag.platform)) for tag in name.tags})
    table = {
        "filename": str(name), "plain": str(name.generic()), "variant": name.variant, "url": item.url,
        "sha256": item.sha256, "size": item.size, "tags": tags, "build": build or (-1, ""),
        "dist-info": wheel.dist_info, "info": {}, "changed": changed, "dropped": dropped,
    }  # fmt: skip
    return table, info


def _refuse_markers(metadata: bytes, item: Offered) -> None:
    for text in Metadata.parse(metadata).requires_dist:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise VariantPublishError(
                f"{item.name} requires {text!r}, which no installer reads",
                hint="write the dependency without selector variables, as requires of the variant",
            ) from error


def _record(item: Offered, source: Source) -> InstalledVariant:
    """Return what `doctor` needs of the wheel, once it is installed under a plain name."""
    return source.files.record(item.name, item.sha256, source.index, item.name.words)


def _variant_names(source: Source, config: Config) -> dict[str, str]:
    """Return the variant as rows call it -> as the configuration does, for those that have a project."""
    found = {}
    for name in dict.fromkeys(names_of(source, config)):
        if name.serves_everyone:
            found[GENERIC] = GENERIC
            continue
        own = next(
            (
                item.name
                for item in config.variants.values()
                if name.dialect is not None and name.words == name.dialect.words_of(item)
            ),
            None,
        )
        if own is None:
            raise UsageError(
                f"variant {name.variant!r} is not in the configuration",
                hint=f"declare it, and its project as {TABLE}.stub.requires.{name.variant}",
            )
        found[name.variant] = own
    unknown = sorted(set(config.stub.requires) - set(found.values()))
    if unknown:
        raise UsageError(
            f"{TABLE}.stub.requires names {unknown[0]!r}, which is no variant of the release",
            hint=f"its variants: {', '.join(found.values())}",
        )
    return {variant: own for variant, own in found.items() if own != GENERIC or _project_of(own, config) is not None}


def _project_of(variant: str, config: Config) -> str | None:
    rename = config.changes_of(variant).rename
    return config.stub.requires.get(variant) or (rename.old if rename is not None else None)


def _requirements(variant: str, config: Config, version: Version, metadata: Metadata) -> Iterator[str]:
    """Return the requirements on a variant's project: by itself, and once for each extra."""
    text = _project_of(variant, config)
    if text is None:
        raise UsageError(
            f"no project is named for variant {variant!r}",
            hint=f'write {TABLE}.stub.requires.{variant} = "NAME", or variants.{variant}.rename',
        )
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"{TABLE}.stub.requires.{variant} {text!r} is not a requirement ({error})", hint="write a project's name"
        ) from error
    if not requirement.specifier and requirement.url is None:
        requirement.specifier &= f"=={version}"
    yield str(requirement)
    for extra in metadata.values("Provides-Extra"):
        with_extra = Requirement(str(requirement))
        with_extra.extras = {extra}
        with_extra.marker = None
        own = f"({requirement.marker}) and " if requirement.marker else ""
        yield f"{with_extra}; {own}extra == '{extra}'"
