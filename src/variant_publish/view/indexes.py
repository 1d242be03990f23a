"""The indexes that a user names, and the extra tags that they vouch for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec

_TAGGED = re.compile(r"([a-z0-9_]+)=(.+)")


class Indexes(msgspec.Struct, frozen=True):
    """Indexes (URLs and folders) in the order in which they count; `implied` maps one to the tags it vouches for.

    Repositories such as PyPI refuse extra tags in file names, so that `numpy+pypi` is a wheel of a certain index.
    """

    urls: tuple[str, ...]
    implied: Mapping[str, tuple[str, ...]] = {}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read `URL`, `DIR`, `TAG=URL` and `TAG=DIR`; a folder that is there under the whole name is that folder."""
        urls: list[str] = []
        implied: dict[str, tuple[str, ...]] = {}
        for text in texts:
            match = None if Path(text).exists() else _TAGGED.fullmatch(text)
            place = match[2] if match else text
            place = place if "://" in place or place.startswith("file:") else str(Path(place))
            urls.append(place)
            if match:
                implied[place] = (*implied.get(place, ()), match[1])
        return cls(tuple(dict.fromkeys(urls)), implied)
