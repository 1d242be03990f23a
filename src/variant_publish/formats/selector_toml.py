"""`NAME-VERSION-wheel-selector.toml` of dialect plus (the semi-static proposal, "Selector file")."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from variant_publish.errors import VariantPublishError
from variant_publish.formats import toml
from variant_publish.formats.typed import from_table, refusing
from variant_publish.model.requirement import check_installable
from variant_publish.model.tags import validate_extra_tag

SUFFIX = "-wheel-selector.toml"
"""The end of the file name on an index."""


class InvalidSelectorFile(VariantPublishError):
    """Report a selector file that the proposal does not allow."""


class SelectorConflict(VariantPublishError):
    """Report two selector files of one release that contradict each other."""


class Selector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Declare how one variable of dialect plus is evaluated and what its values mean; keys as the selector file has."""

    wheel_tags: Mapping[str, tuple[str, ...]]
    """Each value of the variable with its extra tags, best first; "" is the generic wheel."""
    requires: tuple[str, ...] = ()
    """What to install, isolated, to run the function."""
    function: tuple[str, ...] = ()
    """The entry points, like "cpuversion:get_level", that return the value."""
    default: tuple[str, ...] | None = None
    """The tags of a value that the table does not name; without it such a value has no wheel."""

    def __post_init__(self) -> None:
        for tags in (*self.wheel_tags.values(), self.default or ()):
            for tag in tags:
                if tag:
                    validate_extra_tag(tag)
        for requirement in self.requires:
            check_installable(requirement)

    @cached_property
    def admitted(self) -> Mapping[str, tuple[str, ...]]:
        """Return each tag, and "" for the generic wheel, with the values that admit it, in the order of first mention.

        A tag of the default alone has no values.
        """
        found: dict[str, list[str]] = {}
        for value, tags in self.wheel_tags.items():
            for tag in dict.fromkeys(tags):
                found.setdefault(tag, []).append(value)
        return {**dict.fromkeys(self.default or (), ()), **{tag: tuple(values) for tag, values in found.items()}}

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Return every extra tag that the table names, once."""
        return tuple(filter(None, self.admitted))

    def only(self, kept: Collection[str]) -> Self:
        """Return the table without other tags than some."""

        def rest(tags: Iterable[str]) -> tuple[str, ...]:
            return tuple(tag for tag in tags if tag in kept)

        table = {value: rest(tags) for value, tags in self.wheel_tags.items()}
        return replace(self, wheel_tags=table, default=None if self.default is None else rest(self.default))

    def tags_for(self, value: str) -> tuple[str, ...] | None:
        """Return the tags for a value, best first; None where the value is unknown and there is no default."""
        return self.wheel_tags.get(value, self.default)


class _Head(msgspec.Struct, frozen=True):
    variables: tuple[str, ...]


class _File(msgspec.Struct, frozen=True):
    head: _Head = msgspec.field(name="wheel-selector")
    selector: dict[str, Any] = {}


class SelectorFile(msgspec.Struct, frozen=True, dict=True):
    """The selectors of a release in the order of their priority; `parse(dumps()) == self`."""

    selectors: Mapping[str, Selector] = {}

    def __post_init__(self) -> None:
        for variable, selector in self.selectors.items():
            for tag in selector.tags:
                if (owner := self.owners[tag]) != variable:
                    raise InvalidSelectorFile(
                        f"extra tag {tag!r} belongs to two selectors, {variable!r} and {owner!r}",
                        hint="use different tags for each variable",
                    )

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the variables, most important first: also the order of the tags in a file name."""
        return tuple(self.selectors)

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Return each extra tag with the variable that it belongs to."""
        return {tag: variable for variable, item in self.selectors.items() for tag in item.tags}

    def only(self, tags: Collection[str]) -> Self:
        """Return the file without the tags that no wheel has: wheels that are there are chosen as before."""
        kept = {"", *tags}
        return replace(self, selectors={variable: item.only(kept) for variable, item in self.selectors.items()})

    def needs(self, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return variable -> the values that admit a wheel with these extra tags, where not every value does."""
        known = {self.owners[tag]: tag for tag in tags if tag in self.owners}
        items = ((self.selectors[variable], variable, tag) for variable, tag in known.items())
        return {variable: item.admitted[tag] for item, variable, tag in items if tag not in (item.default or ())}

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the file; the proposal's inline table over several lines (TOML 1.1) is read too."""
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        with refusing(lambda reason: _invalid("the selector file is not TOML", reason)):
            data = toml.loads(text)
        return cls.from_tables(data)

    @classmethod
    def from_tables(cls, data: Mapping[str, Any]) -> Self:
        """Build from the parsed TOML."""
        file = from_table(data, _File, lambda reason: _invalid("the selector file cannot be read", reason))
        variables, tables = file.head.variables, file.selector
        if sorted(variables) != sorted(tables):
            raise InvalidSelectorFile(
                f"wheel-selector.variables {sorted(variables)} and the [selector.*] tables {sorted(tables)} differ",
                hint="write one table for every variable",
            )
        return cls({variable: _selector(variable, tables[variable]) for variable in variables})

    def dumps(self) -> str:
        """Return TOML 1.0 text with `wheel_tags` as a sub-table; equal values give equal text."""
        selectors = {}
        for variable, selector in self.selectors.items():
            table = msgspec.to_builtins(selector)
            selectors[variable] = {key: value for key, value in table.items() if value is not None}
        return toml.dumps({"wheel-selector": {"variables": list(self.variables)}, "selector": selectors})


def merge_selectors(parts: Iterable[SelectorFile]) -> SelectorFile:
    """Unite the selector files of one release, in any order.

    Variables of one file are a prefix of the other's, or equal. For each value the lists of tags must agree: one
    may lack tags that the other has, in the same order, and the longer wins. Raises SelectorConflict.
    """
    pieces = sorted(parts, key=lambda piece: (-len(piece.selectors), -len(piece.dumps()), piece.dumps()))
    variables = pieces[0].variables
    merged: dict[str, Selector] = {}
    for piece in pieces:
        if variables[: len(piece.variables)] != piece.variables:
            raise SelectorConflict(
                f"selector variables are ordered in two ways: {list(piece.variables)} and {list(variables)}",
                hint="publish the release with one configuration",
            )
        for variable, selector in piece.selectors.items():
            merged[variable] = _unite(variable, merged[variable], selector) if variable in merged else selector
    return SelectorFile({variable: merged[variable] for variable in variables})


def _unite(variable: str, one: Selector, other: Selector) -> Selector:
    if (one.requires, one.function) != (other.requires, other.function):
        raise SelectorConflict(
            f"selector {variable!r} is evaluated in two ways", hint="publish the release with one configuration"
        )
    values = [*one.wheel_tags, *(value for value in other.wheel_tags if value not in one.wheel_tags)]
    table = {}
    for value in values:
        mine, theirs = one.tags_for(value), other.tags_for(value)
        lists = sorted((tags for tags in (mine, theirs) if tags is not None), key=len, reverse=True)
        if len(lists) == 2 and [tag for tag in lists[0] if tag in lists[1]] != list(lists[1]):
            raise SelectorConflict(
                f"selector {variable!r} gives {value!r} two meanings: {list(lists[0])} and {list(lists[1])}",
                hint="publish the release with one configuration",
            )
        table[value] = lists[0]
    default = one.default if one.default is not None else other.default
    return Selector(table, one.requires, one.function, default)


def _selector(variable: str, table: Any) -> Selector:
    return from_table(table, Selector, lambda reason: _invalid(f"selector.{variable} cannot be read", reason))


def _invalid(what: str, reason: str) -> InvalidSelectorFile:
    return InvalidSelectorFile(f"{what} ({reason})", hint="write the file again")
