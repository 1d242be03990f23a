"""Variants as a product: each combination of a word of every axis, such as hardware and the ABI of a dependency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product
from typing import TypeVar

import msgspec

from variant_publish.config.tables import TABLE, BuildTable, RequiresTable, Tables, VariantTable
from variant_publish.errors import UsageError
from variant_publish.model.variant import Property
from variant_publish.providers import catalog

_WHERE = f"{TABLE}.matrix.product"
T = TypeVar("T")

_MOST = 1000
"""Variants of one matrix; the largest real one has a few dozen."""


def with_product(tables: Tables) -> Tables:
    """Return the tables with a variant for each combination: `cu128.torch2.9` for the words cu128 and torch2.9.

    A word that has a table in `variants` brings it into each of its variants, and is none by itself; a variant that has
    a table of its own adds that. An empty word stands for nothing of an axis. Raises UsageError.
    """
    axes = tables.matrix.product if tables.matrix is not None else ()
    if not axes:
        return tables
    _check(axes)
    parts = {word: _of_word(word, tables.variants) for axis in axes for word in axis if word}
    found: dict[str, VariantTable] = {}
    for combination in product(*axes):
        chosen = [word for word in combination if word]
        name = ".".join(chosen)
        if chosen:
            found[name] = reduce(lambda one, other: _joined(name, one, other), (parts[word] for word in chosen))
            if name in tables.variants and name not in parts:
                found[name] = _joined(name, found[name], tables.variants[name], own=True)
    others = {name: table for name, table in tables.variants.items() if name not in parts and name not in found}
    namespaces = (Property.parse(line).namespace for part in parts.values() for line in part.properties)
    priority = tables.priority or tuple(dict.fromkeys(namespaces))  # the first axis matters most
    return msgspec.structs.replace(tables, variants={**found, **others}, priority=priority)


def _check(axes: Sequence[Sequence[str]]) -> None:
    words = [word for axis in axes for word in axis if word]
    if twice := sorted({word for word in words if words.count(word) > 1}):
        raise UsageError(f"{_WHERE} has the word {twice[0]!r} twice", hint="name each word on one axis, once")
    if empty := [number for number, axis in enumerate(axes) if not any(axis)]:
        raise UsageError(f"{_WHERE}[{empty[0]}] has no words", hint='write the axis like ["cu126", "cu128"]')
    count = reduce(lambda number, axis: number * len(axis), axes, 1)
    if count > _MOST:
        raise UsageError(f"{_WHERE} makes {count} variants", hint=f"name at most {_MOST} combinations")


def _of_word(word: str, variants: Mapping[str, VariantTable]) -> VariantTable:
    """Return what a word brings into its variants: as declared, else what it means by itself."""
    table = variants.get(word, VariantTable())
    tags = table.tags or (word.replace(".", "_"),)
    properties = table.properties or tuple(map(str, catalog.properties_of_words(tags).items))
    if not properties:
        raise UsageError(
            f"{_WHERE} has the word {word!r}, which is not well known",
            hint=f"say what it needs in [{TABLE}.variants.{word}], as properties",
        )
    return msgspec.structs.replace(table, tags=tags, label=table.label or word, properties=properties)


def _joined(name: str, one: VariantTable, other: VariantTable, *, own: bool = False) -> VariantTable:
    """Return what two words make together; `own` is the table of the variant itself, which has the last word."""
    platform = other.platform or one.platform
    if one.platform and other.platform and not own:
        platform = tuple(item for item in one.platform if item in other.platform)
        if not platform:
            raise UsageError(
                f"{_WHERE}: the words of {name!r} have no platform in common", hint="correct their platform keys"
            )
    return msgspec.structs.replace(
        one,
        properties=(other.properties or one.properties) if own else (*one.properties, *other.properties),
        tags=(other.tags or one.tags) if own else (*one.tags, *other.tags),
        label=(other.label or one.label) if own else f"{one.label}.{other.label}",
        platform=platform,
        requires=RequiresTable(
            (*one.requires.add, *other.requires.add), (*one.requires.remove, *other.requires.remove)
        ),
        rename=other.rename or one.rename,
        drop_local_version=one.drop_local_version or other.drop_local_version,
        build=BuildTable(
            _united(name, "config-settings", one.build.config_settings, other.build.config_settings, own),
            _united(name, "env", one.build.env, other.build.env, own),
        ),
    )


def _united(name: str, key: str, one: Mapping[str, T], other: Mapping[str, T], own: bool) -> dict[str, T]:
    odd = sorted(item for item in one.keys() & other.keys() if one[item] != other[item])
    if odd and not own:
        raise UsageError(
            f"{_WHERE}: the words of {name!r} set build.{key}.{odd[0]} to two values",
            hint=f'set it in [{TABLE}.variants."{name}"]',
        )
    return {**one, **other}
