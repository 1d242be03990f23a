"""JSON and TOML of known types: what a type does not allow becomes an error of ours, with the place in the text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import msgspec

T = TypeVar("T")
Failure = Callable[[str], Exception]


@contextmanager
def refusing(failure: Failure) -> Iterator[None]:
    """Raise what `failure` makes of the reason where a text or a table is something else than its type says."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise failure(
            f"{error!s:.200}" if isinstance(error, ValueError | RecursionError) else f"{error!r:.200}"
        ) from error


def from_json(content: bytes | str, kind: type[T], failure: Failure) -> T:
    """Return the value of a JSON text."""
    with refusing(failure):
        found: T | _Unversioned = msgspec.json.decode(content, type=_asked(prepared(kind)))
        return _versioned(found)


def from_table(table: object, kind: type[T], failure: Failure) -> T:
    """Return the value of a table of TOML."""
    with refusing(failure):
        found: T | _Unversioned = msgspec.convert(table, _asked(prepared(kind)))
        return _versioned(found)


def prepared(kind: type[T]) -> type[T]:
    """Return a type that msgspec has looked through, as it does when it first meets one.

    Where two threads meet one first at the same time, it reads what is not there yet and ends the process.
    """
    if kind not in _prepared:
        with _preparing:
            msgspec.json.Decoder(_asked(kind))
            _prepared.add(kind)
    return kind


_prepared: set[object] = set()
_preparing = threading.Lock()


class _Unversioned(msgspec.Struct, tag_field="schema-version", tag=0):
    """The other type of a union: of one type alone msgspec does not miss the tag."""


def _asked(kind: type[T]) -> Any:
    config = getattr(kind, "__struct_config__", None)
    return kind | _Unversioned if config is not None and config.tag is not None else kind


def _versioned(found: T | _Unversioned) -> T:
    if isinstance(found, _Unversioned):
        raise ValueError("schema-version 0 is not known")
    return found


def values_of(value: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the fields that a value has as one of a base of its type, by their names."""
    return {name: getattr(value, name) for name in kind.__struct_fields__}


def to_json(value: Any, indent: int = 1, order: Literal["deterministic"] | None = None) -> str:
    """Return the JSON text, with a newline at its end; equal values give equal text."""
    return msgspec.json.format(msgspec.json.encode(value, order=order), indent=indent).decode() + "\n"
