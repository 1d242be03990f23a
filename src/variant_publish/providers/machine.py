"""Machine: what a selection depends on, detected here or described for a machine elsewhere."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

import msgspec
from msgspec.structs import replace
from packaging import tags as packaging_tags
from packaging.tags import Tag

from variant_publish.errors import UsageError
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.variants_json import Provider
from variant_publish.model.ordering import Supported
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import PREFIX, releases_in
from variant_publish.providers.base import NONE
from variant_publish.providers.platforms import compatible_platforms, has_libc

_PYTHON = r"(?:cp)?3\.?([0-9]{1,2})(\.[0-9]{1,4})?(t?)"


class Machine(msgspec.Struct, frozen=True, dict=True):
    """A machine: `values` of selector variables, compatible `tags` best first, and its Python version.

    `values` maps "x86_64_version", "aarch64_version" and "cuda" to what the machine has, or to "none"; the variables of
    other hardware, a project's own ones, and dependencies with their versions are there where they are known.
    `evaluated` are properties that the plugin of a release said, and no value does. `allowed` and `denied` are the
    namespaces whose providers the user turned on (optional ones) or off. `abi` maps dependencies, as
    dist-info folders name them, to their versions.
    """

    values: Mapping[str, str]
    tags: tuple[Tag, ...]
    python_version: str
    evaluated: Supported = {}
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    abi: Mapping[str, str] = {}

    @classmethod
    def detect(cls, environ: Mapping[str, str]) -> Self:
        """Look at this machine and at the running Python."""
        return cls(
            values=catalog.detected(environ),
            tags=tuple(packaging_tags.sys_tags()),
            python_version=platform.python_version().rstrip("+"),
        )

    @cached_property
    def tag_set(self) -> frozenset[Tag]:
        """Return the compatible tags, whatever their order."""
        return frozenset(self.tags)

    @cached_property
    def platform_set(self) -> frozenset[str]:
        """Return the platforms of the compatible tags."""
        return frozenset(tag.platform for tag in self.tags)

    @cached_property
    def supported(self) -> Supported:
        """Return the supported properties (PEP 850) by namespace; what the machine does not have is not there."""
        releases = {f"{PREFIX}{name}": version for name, version in self.abi.items()}
        return {**self.evaluated, **catalog.supported_by({**releases, **self.values})}

    def value(self, variable: str) -> str | None:
        """Return the value of a variable; "none" for known hardware that is not there, None for what is unknown."""
        default = NONE if catalog.find_variable(variable) else None
        return self.values.get(variable, default)

    def is_foreign(self, variable: str) -> bool:
        """Return whether the variable is about another architecture: every machine of its own has a value."""
        known = catalog.find_variable(variable)
        return known is not None and known.lowest != NONE and self.value(variable) == NONE

    def features(self, namespace: str, provider: Provider) -> Mapping[str, Sequence[str]] | str:
        """Return the supported features of a namespace as its provider has them, or why it is off on every machine.

        Static properties come from the file. Of plugins only those are known that have a provider here, as the file
        must list it: one requirement of that name, without marker or extra, that allows the version that installers
        carry.
        """
        if namespace in self.denied:
            return f"provider {namespace} is denied by your preferences"
        if provider.optional and namespace not in self.allowed:
            return f"provider {namespace} is optional, so it is off"
        if provider.static_properties:
            return provider.static_properties
        own = catalog.find(provider.builtin or namespace)
        if own is not None and not own.objection_to(provider):
            return self.supported.get(own.namespace, {})
        if namespace in self.evaluated:
            return self.evaluated[namespace]
        name = " ".join(provider.requires) or provider.builtin
        return f"provider {name} of {namespace} is one that installers do not have"

    def here(self, namespace: str, feature: str) -> str:
        """Return what the machine has of a feature, for people."""
        own = catalog.find(namespace)
        return own.here(feature, self.values) if own else "no such value"

    def asked(self, namespace: str, feature: str, values: Sequence[str]) -> str:
        """Return what a feature asks of a machine, for people: one of the values."""
        own = catalog.find(namespace)
        if own is None:
            return f"{namespace} :: {feature} :: {' or '.join(values)}"
        return " or ".join(own.sentence(feature, value) for value in values)

    @classmethod
    def stored(cls, file: HostFile) -> Self:
        """Return the machine that a file describes; raises UsageError for a Python or a platform that is none."""
        minor, threaded, version = _parse_python(file.python)
        tags = tuple(_tags(minor, threaded, compatible_platforms(file.platform)))
        # A machine of another architecture has no level of this one, which nobody could set.
        values = {name: value if value == NONE else parse_setting(name, value) for name, value in file.values.items()}
        return cls(values, tags, version, file.evaluated, abi=releases_in(_unknown(values)))

    def store(self) -> HostFile:
        """Return the machine as a file describes it; `stored` makes the same choices of it."""
        _, threaded, version = self._own_python
        evaluated = {name: {key: tuple(found) for key, found in item.items()} for name, item in self.evaluated.items()}
        properties = {name: {key: tuple(found) for key, found in item.items()} for name, item in self.supported.items()}
        platforms = [tag.platform for tag in self.tags if tag.platform != "any"]
        platform = next(filter(has_libc, platforms), platforms[0])
        return HostFile(version + ("t" if threaded else ""), platform, dict(self.values), evaluated, properties)

    def described(self, settings: Mapping[str, str], python: str | None = None, platform: str | None = None) -> Self:
        """Return the machine with what is said of it in place of what was detected.

        `settings` are values of selector variables, `python` is like "3.12" (or "3.14t"), `platform` is a platform
        tag. On a platform of another architecture or system, what this machine has does not count: the lowest CPU of
        that architecture and no GPU are assumed. Raises UsageError for what is not understood.
        """
        values = dict(self.values)
        for provider in catalog.providers() if platform is not None else ():
            values.update(catalog.asked(provider, provider.assumed, str(platform)))
        values.update({name: parse_setting(name, value) for name, value in settings.items()})
        values = _without_absent(values)
        abi = {**self.abi, **releases_in(_unknown(settings))}
        if python is None and platform is None:
            return replace(self, values=values, abi=abi)
        minor, threaded, version = _parse_python(python) if python is not None else self._own_python
        platforms = compatible_platforms(platform) if platform is not None else list(packaging_tags.platform_tags())
        tags = tuple(_tags(minor, threaded, platforms))
        return replace(self, values=values, abi=abi, tags=tags, python_version=version)

    def requirement(self, text: str) -> TaggedRequirement:
        """Parse a requirement; markers that ask for selector variables are evaluated on this machine.

        Raises UsageError for a requirement that is none, and for a marker variable that this machine does not know.
        """
        known = {item.name: NONE for item in catalog.variables()}
        return TaggedRequirement.parse(with_evaluated_markers(text, {**known, **self.values}, self.holds))

    @property
    def marker_environment(self) -> dict[str, str]:
        """Return the marker variables (PEP 508) that the Python of this machine tells."""
        version = self.python_version
        return {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}

    def holds(self, variable: str, operator: str, literal: str) -> bool:
        """Compare the value of a selector variable, as markers do; UsageError for what cannot be compared."""
        value = self.value(variable) or NONE
        simple = {
            "==": lambda: value == literal, "===": lambda: value == literal, "!=": lambda: value != literal,
            "in": lambda: value in literal, "not in": lambda: value not in literal,
            "contains": lambda: literal in value, "lacks": lambda: literal not in value,
        }  # fmt: skip
        if operator not in ("<", "<=", ">", ">="):
            if operator not in simple:
                raise UsageError(
                    f"{variable} cannot be compared by {operator!r}", hint="use ==, !=, in, not in, <, <=, > or >="
                )
            literal = literal if "in" in operator or operator == "lacks" else parse_setting(variable, literal)
            return simple[operator]()
        known = catalog.find_variable(variable)
        if known is None or known.order is None:
            raise UsageError(
                f"the values of {variable} have no order, so {operator!r} says nothing of them",
                hint="use ==, !=, in or not in",
            )
        bound = parse_setting(variable, literal)
        if NONE in (value, bound):
            return False  # what is not there is neither more nor less
        here, there = known.order(value), known.order(bound)
        return bool({"<": here < there, "<=": here <= there, ">": here > there, ">=": here >= there}[operator])

    @property
    def _own_python(self) -> tuple[int, bool, str]:
        # The tags tell whether the Python is free-threaded, so that one that was described before stays as described.
        threaded = any(re.fullmatch(r"cp3[0-9]+t", tag.abi) for tag in self.tags)
        return int(self.python_version.split(".")[1]), threaded, self.python_version


def _unknown(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of variables that no provider has: a project's own, and the releases of dependencies."""
    return {name: value for name, value in values.items() if catalog.find_variable(name) is None}


def _without_absent(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values without what "none" says of hardware that few machines have, and what needs other hardware."""
    known = {item.name: item for item in catalog.variables()}
    absent = {
        name
        for name, value in values.items()
        if name in known
        and ((value == NONE and not known[name].is_always_told) or values.get(known[name].needs or "") == NONE)
    }
    return {name: value for name, value in values.items() if name not in absent}


def parse_setting(name: str, value: str) -> str:
    """Return the value of a selector variable as it is compared; raise UsageError where it cannot be one."""
    variable = catalog.find_variable(name)
    if variable is None:
        return value
    parsed = variable.parse(value)
    if parsed is None:
        raise UsageError(f"{name} cannot be {value!r}", hint=f"known values: {variable.hint}")
    return parsed


def _tags(minor: int, threaded: bool, platforms: list[str]) -> Iterator[Tag]:
    interpreter = f"cp3{minor}"
    yield from packaging_tags.cpython_tags((3, minor), [f"{interpreter}{'t' if threaded else ''}"], platforms)
    yield from packaging_tags.compatible_tags((3, minor), interpreter, platforms)


def _parse_python(text: str) -> tuple[int, bool, str]:
    match = re.fullmatch(_PYTHON, text)
    if match is None:
        raise UsageError(f"Python {text!r} is not a version of Python 3", hint="write it like 3.12 or 3.14t")
    return int(match[1]), bool(match[3]), f"3.{match[1]}{match[2] or '.0'}"
