"""JSON and TOML of known types: what a type does not allow becomes an error of ours, with the place in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
Failure = Callable[[str], Exception]


@contextmanager
def refusing(failure: Failure) -> Iterator[None]:
    """Raise what `failure` makes of the reason where a text or a table is something else than its type says."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise failure(f"{error!s:.200}" if isinstance(error, ValueError) else f"{error!r:.200}") from error


def from_json(content: bytes | str, kind: type[T], failure: Failure) -> T:
    """Return the value of a JSON text."""
    with refusing(failure):
        return msgspec.json.decode(content, type=kind)


def to_json(value: Any, indent: int = 1) -> str:
    """Return the JSON text, with a newline at its end; equal values give equal text."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent).decode() + "\n"
