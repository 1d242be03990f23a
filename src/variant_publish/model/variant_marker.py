"""Variant markers of requirements (PEP 825, "Environment markers"), resolved for the wheel that carries them.

Variant markers are a hard error in today's pip, uv and packaging, while a wheel knows all four values when
it is made: so they can be worked out then. Everything else in a marker is left for `packaging` to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.variant import Properties

_PART = r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>[()]|[<>=!~]+))"""
Compare = Callable[[str, str, str], bool]
"""Make a comparison: left side, operator, right side, as they stand in the marker."""

_VARIABLES = ("variant_label", "variant_namespaces", "variant_features", "variant_properties")


class VariantMarkers(msgspec.Struct, frozen=True):
    """What variant markers mean in one wheel: its label ("" without one, "null") and its properties."""

    label: str = ""
    properties: Properties = Properties()

    def resolve(self, requirement: str) -> str | None:
        """Return the requirement without variant markers; None where they say that this wheel does not have it.

        A requirement without variant markers is given back as it is. Raises UsageError where the marker cannot be read.
        """
        try:
            head, rest = resolved(requirement, _VARIABLES, self.holds)
        except UnreadableMarker as error:
            raise UsageError(
                f"requirement {requirement!r} has a marker that cannot be read ({error})",
                hint="write it like 'nvidia' in variant_namespaces",
            ) from error
        return (head if rest else None) if isinstance(rest, bool) else with_marker(head, rest)

    def holds(self, left: str, operator: str, right: str) -> bool:
        """Work out one comparison that names a variant variable."""
        sets = {
            "variant_namespaces": set(self.properties.namespaces),
            "variant_features": {f"{item.namespace} :: {item.feature}" for item in self.properties.items},
            "variant_properties": {str(item) for item in self.properties.items},
        }
        if right in sets and operator in ("in", "not in") and is_text(left):
            member = " :: ".join(part.strip() for part in left[1:-1].split("::"))
            return (member in sets[right]) is (operator == "in")
        one, other = (self.label if side == "variant_label" else side[1:-1] for side in (left, right))
        if _is_comparison_of_label(left, right):
            if operator in ("==", "!="):
                return (one == other) is (operator == "==")
            if operator in ("in", "not in"):
                return (one in other) is (operator == "in")
        raise UnreadableMarker(f"{left} {operator} {right}")


class UnreadableMarker(Exception):
    """Report a marker that the grammar does not know."""


def resolved(requirement: str, variables: Collection[str], compare: Compare) -> tuple[str, str | bool]:
    """Return a requirement without its marker, and what is left of that when the comparisons of variables are made.

    That is True, False or other comparisons. Without such variables nothing changes. Raises UnreadableMarker.
    """
    head, _, marker = requirement.partition(" ;" if "@" in requirement.partition(";")[0] else ";")
    if not any(variable in marker for variable in variables):
        return requirement, True
    parser = _Parser(marker, variables, compare)
    rest = parser.whole()
    if not parser.compared:
        return requirement, True
    return head.rstrip(), rest if isinstance(rest, bool) else rest.text


def with_marker(head: str, marker: str) -> str:
    """Return a requirement with a marker; a URL ends at a space."""
    return f"{head}{' ' if '@' in head else ''}; {marker}"


class _Rest(msgspec.Struct, frozen=True):
    """What is left of a marker, and whether it is an `or` that needs parentheses inside an `and`."""

    text: str
    is_or: bool = False


class _Parser:
    """Walk the grammar of PEP 508 markers: `or` over `and` over comparisons and parentheses."""

    def __init__(self, marker: str, variables: Collection[str], compare: Compare) -> None:
        self.variables, self.compare = variables, compare
        self.compared = False
        self.tokens = list(_tokens(marker))
        self.place = 0

    def whole(self) -> _Rest | bool:
        result = self._or()
        if self.place != len(self.tokens):
            raise UnreadableMarker(f"at {self.tokens[self.place]!r}")
        return result

    def _next(self) -> str:
        if self.place == len(self.tokens):
            raise UnreadableMarker("it ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _or(self) -> _Rest | bool:
        return self._joined("or", self._and, decisive=True)

    def _and(self) -> _Rest | bool:
        return self._joined("and", self._one, decisive=False)

    def _joined(self, word: str, part: Callable[[], _Rest | bool], *, decisive: bool) -> _Rest | bool:
        parts = [part()]
        while self.tokens[self.place : self.place + 1] == [word]:
            self.place += 1
            parts.append(part())
        if decisive in parts:
            return decisive
        left = [part for part in parts if isinstance(part, _Rest)]
        if len(left) < 2:
            return left[0] if left else not decisive
        is_or = word == "or"
        texts = (f"({part.text})" if part.is_or and not is_or else part.text for part in left)
        return _Rest(f" {word} ".join(texts), is_or)

    def _one(self) -> _Rest | bool:
        left = self._next()
        if left == "(":
            inner = self._or()
            if self._next() != ")":
                raise UnreadableMarker("a parenthesis is not closed")
            return inner
        operator = self._next()
        if operator == "not":
            operator = f"not {self._next()}"
        right = self._next()
        if left in self.variables or right in self.variables:
            self.compared = True
            return self.compare(left, operator, right)
        return _Rest(f"{left} {operator} {right}")


def _tokens(marker: str) -> Iterator[str]:
    place, end, token = 0, len(marker.rstrip()), re.compile(_PART)
    while place < end:
        match = token.match(marker, place)
        if match is None:
            raise UnreadableMarker(f"at {marker[place:].strip()!r}")
        yield match[0].strip()
        place = match.end()


def is_text(side: str) -> bool:
    """Return whether one side of a comparison is a literal."""
    return side[:1] in ("'", '"')


def _is_comparison_of_label(left: str, right: str) -> bool:
    sides = [left, right]
    return sides.count("variant_label") == 1 and any(map(is_text, sides))
