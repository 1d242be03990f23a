"""Configurations of variantlib (`[variant]`) and variant-repack (`[variant_configs]`, `[metadata_configs]`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from msgspec.structs import replace

from variant_publish.errors import UsageError
from variant_publish.formats.older_variants import OlderVariants
from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import NULL_LABEL, Properties, Property
from variant_publish.model.variant_marker import VariantMarkers

_NOT_A_TAG = re.compile(r"[^a-z0-9_]+")


def converted(
    tables: Sequence[Mapping[str, Any]],
    providers: Mapping[str, Provider],
    given: Mapping[str, Provider],
    metadata_config: str | None,
) -> tuple[str, tuple[str, ...]]:
    """Return the keys of `[tool.variant-publish]` as TOML text, and a line for everything that has no place there.

    `tables` are parsed files, `providers` those of today; `metadata_config` is the table below `[metadata_configs]`
    that the project is built with.
    Raises UsageError where none of them declares anything, or where that table must be named.
    """
    known = {key: value for table in tables for key, value in table.items()}
    if not {"variant", "variant_configs"} & known.keys():
        raise UsageError(
            "there is nothing to convert: no [tool.variant-publish.variants], no [variant] and no [variant_configs]",
            hint="name a configuration of variant-publish, or variantlib's and variant-repack's, both at once",
        )
    try:
        variants = {name: _properties(table) for name, table in known.get("variant_configs", {}).items()}
        labels = {name: table.get("variant_label") for name, table in known.get("variant_configs", {}).items()}
        name, metadata = _metadata(known.get("metadata_configs", {}), metadata_config)
        older = replace(OlderVariants.from_tables(known.get("variant", {})), variants=variants)
    except (TypeError, AttributeError, KeyError) as error:
        raise UsageError(
            f"the configuration lacks a key or has one of a wrong type ({error})", hint="correct the file"
        ) from error
    today, notes = older.today(providers, given)
    result: dict[str, Any] = {"dialects": ["pep825"], "priority": list(today.namespaces)}
    own = {key: provider.table() for key, provider in today.providers.items() if provider != providers.get(key)}
    if own:
        result["providers"] = own
    if variants:
        result["variants"] = {key: _variant(key, labels[key], variants[key], metadata) for key in variants}
    return tomlkit.dumps(result), (*notes, *_remarks(name, metadata))


def _properties(table: Mapping[str, Any]) -> Properties:
    items = (Property(item["namespace"], item["feature"], item["value"]) for item in table.get("properties", ()))
    return Properties(tuple(items))


def _metadata(tables: Mapping[str, Any], name: str | None) -> tuple[str, Mapping[str, Any]]:
    if name is None and len(tables) > 1:
        raise UsageError(
            f"there are {len(tables)} tables below [metadata_configs]: {', '.join(tables)}",
            hint="say which one the project is built with: --metadata-config NAME",
        )
    if name is not None and name not in tables:
        raise UsageError(f"there is no [metadata_configs.{name}]", hint=f"there are: {', '.join(tables) or 'none'}")
    name = name or next(iter(tables), "")
    return name, tables.get(name, {})


def _variant(name: str, label: str | None, properties: Properties, metadata: Mapping[str, Any]) -> dict[str, Any]:
    label = NULL_LABEL if not properties else label or name
    result: dict[str, Any] = {"properties": [str(item) for item in properties.items]}
    if label != name:
        result["label"] = label
    if _NOT_A_TAG.search(name):
        result["tags"] = [_NOT_A_TAG.sub("_", name)]
    markers = VariantMarkers(label, properties)
    added = [markers.resolve(requirement) for requirement in metadata.get("deps_add_list", ())]
    requires = {"add": [text for text in added if text], "remove": list(metadata.get("deps_remove_list", ()))}
    if metadata.get("normalize_version"):
        result["drop-local-version"] = True
    if any(requires.values()):
        result["requires"] = {key: values for key, values in requires.items() if values}
    return result


def _remarks(name: str, metadata: Mapping[str, Any]) -> list[str]:
    where = f"[metadata_configs.{name}]"
    notes = []
    if metadata.get("rename_package_to") or metadata.get("normalize_package_name"):
        to = metadata.get("rename_package_to", "NAME")
        notes.append(f'{where} renames the project: add rename = {{ name = "OLD", to = "{to}" }} to each variant')
    if metadata.get("deps_remove_list"):
        notes.append(f"{where}.deps_remove_list named beginnings of names: requires.remove names whole projects")
    return notes
