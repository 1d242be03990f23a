"""Which variants which machines get, worked out beforehand: rows of conditions, each with its variants, best first.

The order is asked of the code that `select` chooses by, for every kind of machine that the release distinguishes; a
backend that only compares values then chooses as `select` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, product
from math import prod
from typing import Any

import msgspec
from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.variants_json import ABI_DEPENDENCY
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import PREFIX, releases_of
from variant_publish.providers.base import NONE, Variable
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view import in_order

Test = Mapping[str, Any]

_MOST_ROWS = 10_000
"""Kinds of machines that the choice is worked out for; real releases tell a few hundred apart."""


class Row(msgspec.Struct, frozen=True):
    """The machines that `when` describes, a test for each variable, and what they can use, best first."""

    when: Mapping[str, Test]
    variants: tuple[str, ...]

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"when": {name: dict(test) for name, test in self.when.items()}, "variants": list(self.variants)}


class Class(msgspec.Struct, frozen=True):
    """Values of one variable that the release does not distinguish; `is_open` where larger ones belong to it.

    `others` are the values that do not belong to it, where it is everything else.
    """

    variable: str
    values: tuple[str, ...]
    is_open: bool = False
    others: tuple[str, ...] = ()

    def test(self) -> Test:
        """Return the test that the backend makes: a range where the values have an order, else a list.

        A release of a dependency is tested by its prefix: 2.9.1 is of 2.9.
        """
        if self.variable.startswith(PREFIX):
            return {"not-release": list(self.others)} if self.others else {"release": list(self.values)}
        if self.others:
            return {"not": list(self.others)}
        if not _is_ordered(self.variable) or self.values[0] == NONE:
            return {"in": list(self.values)}
        end = {} if self.is_open else {"to": self.values[-1]}
        return {"from": self.values[0], **end}


def variables_of(files: SelectorFiles, dialect: Dialect | None) -> tuple[str, ...]:
    """Return the variables that the choice depends on."""
    if (table := _table(files, dialect)) is not None:
        return table.variables
    used = {(namespace, feature) for namespace, feature, _ in _properties(files, dialect)}
    found: dict[str, None] = {}
    for provider in catalog.providers():
        for variable in provider.variables:
            if any((provider.namespace, feature) in used for feature in variable.features):
                # Without a driver a device has no architecture, so whoever asks for one asks for the driver, too.
                found |= dict.fromkeys(filter(None, (variable.needs, variable.name)))
    return (*found, *dict.fromkeys(f"{PREFIX}{name}" for name, _ in sorted(_releases(files, dialect))))


def _is_ordered(name: str) -> bool:
    variable = catalog.find_variable(name)
    return variable is not None and variable.order is not None


def rows_of(files: SelectorFiles, dialect: Dialect | None, names: Sequence[WheelName]) -> tuple[Row, ...]:
    """Return the rows for the variants of these wheels; a machine that no row describes is unknown to the release."""
    variants = {name.variant: name for name in names}
    if dialect is not None and (table := _table(files, dialect)) is not None:
        files = SelectorFiles({dialect: table.only({word for name in names for word in name.words})})
    classes = {variable: list(_classes(variable, files, dialect)) for variable in variables_of(files, dialect)}
    if (kinds := prod(map(len, classes.values()))) > _MOST_ROWS and dialect is not None:
        file = dialect.file_name(names[0].project, str(names[0].release_version))
        raise VariantPublishError(
            f"{file} tells {kinds:,} kinds of machines apart, and an sdist can have at most {_MOST_ROWS:,}",
            hint="list fewer values or variables in it",
        )
    rows = []
    for combination in product(*classes.values()):
        values = {item.variable: item.values[0] for item in combination}
        order = _order(files, dialect, values, variants)
        if order is not None:
            rows.append(Row({item.variable: item.test() for item in combination}, order))
    for variable in reversed(classes):
        rows = list(_joined(rows, variable, [item.test() for item in classes[variable]]))
    return tuple(rows)


def _order(
    files: SelectorFiles, dialect: Dialect | None, values: Mapping[str, str], variants: Mapping[str, WheelName]
) -> tuple[str, ...] | None:
    try:
        machine = Machine(values, (), "3", abi=releases_of(values))
        return tuple(name.variant for _, name in in_order(variants.values(), files, machine, dialect))
    except VariantPublishError:
        return None  # a value that the table of the release does not know


def _table(files: SelectorFiles, dialect: Dialect | None) -> SelectorFile | None:
    """Return the selector file where it lists values of variables itself."""
    data = None if dialect is None else files.files.get(dialect)
    return data if isinstance(data, SelectorFile) else None


def _classes(variable: str, files: SelectorFiles, dialect: Dialect | None) -> Iterator[Class]:
    """Group the values of a variable: those in one class lead to the same choice, whatever the others are."""
    table = _table(files, dialect)
    if variable.startswith(PREFIX):
        listed = _domain(variable, table) or [
            value for name, value in _releases(files, dialect) if PREFIX + name == variable
        ]
        prefixes = sorted({value for value in listed if value != NONE}, key=Version, reverse=True)
        prefixes.sort(key=lambda value: -value.count("."))  # the first row that fits counts: 2.9.1 before 2.9
        yield from (Class(variable, (value,)) for value in prefixes)
        yield Class(variable, (NONE,), others=tuple(prefixes))
        return
    domain = _domain(variable, table)
    for _, group in groupby(domain, lambda value: (value == NONE, _meaning(variable, value, files, dialect))):
        values = tuple(group)
        known = catalog.find_variable(variable)
        yield Class(variable, values, is_open=known is not None and known.is_open and values[-1] == domain[-1])
    selector = None if table is None else table.selectors.get(variable)
    if selector is not None and selector.default is not None and not _is_ordered(variable):
        yield Class(variable, ("a value that nobody listed",), others=tuple(domain))


def _meaning(variable: str, value: str, files: SelectorFiles, dialect: Dialect | None) -> Any:
    if (table := _table(files, dialect)) is not None:
        return table.selectors[variable].tags_for(value)
    used = _properties(files, dialect)
    needed = _needed(catalog.find_variable(variable))
    supported = catalog.supported_by({**needed, variable: value})
    return [
        (namespace, feature, [item for item in values if (namespace, feature, item) in used])
        for namespace, features in supported.items()
        for feature, values in features.items()
    ]


def _needed(variable: Variable | None) -> dict[str, str]:
    """Return a value of the variable without which this one says nothing."""
    other = catalog.find_variable(variable.needs) if variable is not None and variable.needs else None
    return {} if other is None else {other.name: other.known()[0]}


def _properties(files: SelectorFiles, dialect: Dialect | None) -> set[tuple[str, str, str]]:
    data = None if dialect is None else files.files.get(dialect)
    variants = dialect.meanings(data).values() if dialect is not None and data is not None else ()
    return {(item.namespace, item.feature, item.value) for properties in variants for item in properties.items}


def _releases(files: SelectorFiles, dialect: Dialect | None) -> list[tuple[str, str]]:
    """Return dependency and release prefix of each ABI that a variant is for."""
    used = _properties(files, dialect)
    return [(feature, value) for namespace, feature, value in used if namespace == ABI_DEPENDENCY]


def _domain(variable: str, table: SelectorFile | None) -> list[str]:
    """Return the values that a variable can have, in their order."""
    if (known := catalog.find_variable(variable)) is not None:
        return [NONE, *known.known()]
    return [] if table is None else list(table.selectors[variable].wheel_tags)


def _joined(rows: Sequence[Row], variable: str, tests: Sequence[Test]) -> Iterator[Row]:
    """Leave a variable out of rows that have the same variants for whatever value it has."""
    groups: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
    for row in rows:
        others = {name: test for name, test in row.when.items() if name != variable}
        groups.setdefault((repr(others), row.variants), []).append(row)
    for group in groups.values():
        if len(group) == len(tests) and _is_ordered(variable):
            yield Row({name: test for name, test in group[0].when.items() if name != variable}, group[0].variants)
        else:
            yield from group
