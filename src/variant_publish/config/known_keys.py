"""Keys of the configuration: parsed TOML becomes tables, and an unknown key is an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from variant_publish.config.tables import TABLE, Tables
from variant_publish.errors import UsageError, nearest
from variant_publish.formats.typed import prepared


def tables_of(table: Any) -> Tables:
    """Return parsed TOML as tables; raise UsageError with the dotted key, and for an unknown one the nearest."""
    _check_keys(table, Tables, TABLE)
    try:
        return msgspec.convert(table, prepared(Tables))
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        dotted = TABLE + path.removesuffix("`").removeprefix("$")
        raise UsageError(
            f"{dotted} is wrong ({reason})", hint="'variant-publish config schema' has its shape"
        ) from error


def _check_keys(table: Any, kind: type[msgspec.Struct], where: str) -> None:
    if not isinstance(table, dict):
        return
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in known:
            hint = f"known keys: {', '.join(known)}"
            if isinstance(value, dict) and key.isdigit():  # a version in a bare key
                parent, _, first = where.rpartition(".")
                hint = f'a key with a dot is written in quotes: [{parent}."{first}.{key}"]'
            raise UsageError(f"{where}.{key} is not a known key{nearest(key, known)}", hint=hint)
        for sub, inner in _structs_in(known[key], value, f"{where}.{key}"):
            _check_keys(inner[1], sub, inner[0])


def _structs_in(annotation: Any, value: Any, where: str) -> Iterator[tuple[type[msgspec.Struct], tuple[str, Any]]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation, (where, value)
        return
    for argument in getattr(annotation, "__args__", ()):
        if isinstance(value, dict):
            single = getattr(annotation, "__origin__", None) is dict
            inner = [(f"{where}.{key}", item) for key, item in value.items()] if single else [(where, value)]
        else:
            inner = [(f"{where}[{index}]", item) for index, item in enumerate(value)] if isinstance(value, list) else []
        for place, item in inner:
            yield from _structs_in(argument, item, place)
