"""Write TOML 1.0: tables, arrays of tables, inline values; equal data give equal text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dumps(data: Mapping[str, Any]) -> str:
    """Return the text of nested tables; a sequence of tables becomes an array of tables."""
    return "\n".join(_table(data, ())).strip("\n") + "\n"


def _table(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Return plain values first: in TOML they would belong to the last sub-table else."""
    for key, value in data.items():
        if not _is_table(value) and not _is_array_of_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in data.items():
        inner = (*path, key)
        name = ".".join(map(_key, inner))
        if _is_table(value):
            if not value or not all(_is_table(item) or _is_array_of_tables(item) for item in value.values()):
                yield from ("", f"[{name}]")
            yield from _table(value, inner)
        elif _is_array_of_tables(value):
            for item in value:
                yield from ("", f"[[{name}]]")
                yield from _table(item, inner)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_array_of_tables(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value) and all(map(_is_table, value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + ", ".join(_value(item) for item in value) + "]"


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _value(text)
