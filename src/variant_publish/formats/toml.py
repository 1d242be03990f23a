"""TOML of others, read in bounded time, and TOML of ours, written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_MOST_DOTS = 2_000
"""In one key: the time for it grows with the square of its parts."""
_ENDS = re.compile(r"[=,{}\[\]]")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DELETE = {0x7F: "\\u007f"}


def loads(text: str) -> dict[str, Any]:
    """Return the tables of TOML 1.1; raise ValueError or RecursionError for what is none."""
    import tomli

    for line in text.split("\n") if text.count(".") > _MOST_DOTS else ():
        if any(key.count(".") > _MOST_DOTS for key in _ENDS.split(line.replace(" ", ""))):
            raise ValueError(f"a key has more than {_MOST_DOTS:,} parts")
    return tomli.loads(text)


def dumps(table: Mapping[str, Any]) -> str:
    """Return the text of tables; equal values in equal order give equal text."""
    return "".join(_lines(table, "")).lstrip("\n")


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping) or _holds_tables(value)}
    for key, value in table.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}\n"
    for key, value in tables.items():
        place = f"{path}{_key(key)}"
        head = f"[{place}]" if isinstance(value, Mapping) else f"[[{place}]]"
        for one in [value] if isinstance(value, Mapping) else value:
            if not one or head.startswith("[[") or not all(isinstance(item, Mapping) for item in one.values()):
                yield f"\n{head}\n"
            yield from _lines(one, f"{place}.")


def _holds_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().translate(_DELETE)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    return value.isoformat() if hasattr(value, "isoformat") else msgspec.json.encode(value).decode()
