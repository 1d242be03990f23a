"""Variant markers of requirements (PEP 825, "Environment markers"), resolved for the wheel that carries them.

Variant markers are a hard error in today's pip, uv and packaging, while a wheel knows all four values when
it is made: so they can be worked out then. Everything else in a marker is left for `packaging` to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.variant import Properties

_PART = r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>[()]|[<>=!~]+))"""
_VARIABLES = ("variant_label", "variant_namespaces", "variant_features", "variant_properties")


class VariantMarkers(msgspec.Struct, frozen=True):
    """What variant markers mean in one wheel: its label ("" without one, "null") and its properties."""

    label: str = ""
    properties: Properties = Properties()

    def resolve(self, requirement: str) -> str | None:
        """Return the requirement without variant markers; None where they say that this wheel does not have it.

        A requirement without variant markers is given back as it is. Raises UsageError where the marker cannot be read.
        """
        head, separator, marker = requirement.partition(" ;" if " @ " in requirement else ";")
        if not any(variable in marker for variable in _VARIABLES):
            return requirement
        try:
            rest = _Parser(marker, self).whole()
        except _Unreadable as error:
            raise UsageError(
                f"requirement {requirement!r} has a marker that cannot be read ({error})",
                hint="write it like 'nvidia' in variant_namespaces",
            ) from error
        if isinstance(rest, bool):
            return head.rstrip() if rest else None
        return f"{head.rstrip()}{separator} {rest.text}"

    def holds(self, left: str, operator: str, right: str) -> bool:
        """Work out one comparison that names a variant variable."""
        sets = {
            "variant_namespaces": set(self.properties.namespaces),
            "variant_features": {f"{item.namespace} :: {item.feature}" for item in self.properties.items},
            "variant_properties": {str(item) for item in self.properties.items},
        }
        if right in sets and operator in ("in", "not in") and _is_text(left):
            member = " :: ".join(part.strip() for part in left[1:-1].split("::"))
            return (member in sets[right]) is (operator == "in")
        one, other = (self.label if side == "variant_label" else side[1:-1] for side in (left, right))
        if _is_comparison_of_label(left, right):
            if operator in ("==", "!="):
                return (one == other) is (operator == "==")
            if operator in ("in", "not in"):
                return (one in other) is (operator == "in")
        raise _Unreadable(f"{left} {operator} {right}")


class _Unreadable(Exception):
    """Report a marker that the grammar does not know."""


class _Rest(msgspec.Struct, frozen=True):
    """What is left of a marker, and whether it is an `or` that needs parentheses inside an `and`."""

    text: str
    is_or: bool = False


class _Parser:
    """Walk the grammar of PEP 508 markers: `or` over `and` over comparisons and parentheses."""

    def __init__(self, marker: str, values: VariantMarkers) -> None:
        self.values = values
        self.tokens = list(_tokens(marker))
        self.place = 0

    def whole(self) -> _Rest | bool:
        result = self._or()
        if self.place != len(self.tokens):
            raise _Unreadable(f"at {self.tokens[self.place]!r}")
        return result

    def _next(self) -> str:
        if self.place == len(self.tokens):
            raise _Unreadable("it ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _at(self, word: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place] == word

    def _or(self) -> _Rest | bool:
        parts = [self._and()]
        while self._at("or"):
            self._next()
            parts.append(self._and())
        if any(part is True for part in parts):
            return True
        left = [part for part in parts if isinstance(part, _Rest)]
        if not left:
            return False
        return left[0] if len(left) == 1 else _Rest(" or ".join(part.text for part in left), is_or=True)

    def _and(self) -> _Rest | bool:
        parts = [self._one()]
        while self._at("and"):
            self._next()
            parts.append(self._one())
        if any(part is False for part in parts):
            return False
        left = [part for part in parts if isinstance(part, _Rest)]
        if not left:
            return True
        return left[0] if len(left) == 1 else _Rest(" and ".join(f"({p.text})" if p.is_or else p.text for p in left))

    def _one(self) -> _Rest | bool:
        left = self._next()
        if left == "(":
            inner = self._or()
            if self._next() != ")":
                raise _Unreadable("a parenthesis is not closed")
            return inner
        operator = self._next()
        if operator == "not":
            operator = f"not {self._next()}"
        right = self._next()
        if left in _VARIABLES or right in _VARIABLES:
            return self.values.holds(left, operator, right)
        return _Rest(f"{left} {operator} {right}")


def _tokens(marker: str) -> Iterator[str]:
    place, end, token = 0, len(marker.rstrip()), re.compile(_PART)
    while place < end:
        match = token.match(marker, place)
        if match is None:
            raise _Unreadable(f"at {marker[place:].strip()!r}")
        yield match[0].strip()
        place = match.end()


def _is_text(side: str) -> bool:
    return side[:1] in ("'", '"')


def _is_comparison_of_label(left: str, right: str) -> bool:
    sides = [left, right]
    return sides.count("variant_label") == 1 and any(map(_is_text, sides))
