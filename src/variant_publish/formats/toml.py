"""TOML of others, read in bounded time, and TOML of ours, written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MOST_DOTS = 2_000
"""In one key: the time for it grows with the square of its parts."""
_ENDS = re.compile(r"[=,{}\[\]]")


def loads(text: str) -> dict[str, Any]:
    """Return the tables of TOML 1.1; raise ValueError or RecursionError for what is none."""
    import tomli

    for line in text.split("\n") if text.count(".") > _MOST_DOTS else ():
        if any(key.count(".") > _MOST_DOTS for key in _ENDS.split(line.replace(" ", ""))):
            raise ValueError(f"a key has more than {_MOST_DOTS:,} parts")
    return tomli.loads(text)


def dumps(table: Mapping[str, Any]) -> str:
    """Return the text of tables; equal values in equal order give equal text."""
    import tomli_w

    return tomli_w.dumps(table)
