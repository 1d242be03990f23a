"""Where extra tags stand: the selector file of dialect plus, evaluated for one machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.model.ordering import tag_candidates
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import release_prefixes
from variant_publish.providers.base import NONE
from variant_publish.providers.machine import Machine

ABI_VARIABLE = re.compile(r"abi_([a-z0-9_]+)")
"""The selector variable of a dependency whose ABI counts; its values are release prefixes."""


class Tags:
    """Place wheels by the selector file of dialect plus: the product of what each variable's value allows."""

    def __init__(self, selector: SelectorFile, machine: Machine) -> None:
        self.selector = selector
        self.values = {variable: self._value(variable, machine) for variable in selector.variables}
        self.choices = {variable: self._choice(variable) for variable in selector.variables}
        self.order = {
            tags: place for place, tags in reversed(list(enumerate(tag_candidates([*self.choices.values()]))))
        }

    def place(self, name: WheelName) -> tuple[Any, ...] | str:
        """Return the key of a wheel, the smallest being the best, or the reason why the machine cannot use it."""
        tags = name.words
        return (self.order[tags],) if tags in self.order else self._why(tags)

    def _value(self, variable: str, machine: Machine) -> str:
        if match := ABI_VARIABLE.fullmatch(variable):
            return machine.abi.get(match[1], NONE)
        known = ", ".join(self.selector.selectors[variable].wheel_tags)
        value = machine.value(variable)
        if value is None:
            raise VariantPublishError(
                f"selector variable {variable!r} has no value on this machine",
                hint=f"set it: --set {variable}=VALUE (known values: {known})",
            )
        known_variable = catalog.find_variable(variable)
        foreign = value == NONE and known_variable is not None and known_variable.lowest != NONE
        if self.selector.selectors[variable].tags_for(value) is None and not foreign:
            raise VariantPublishError(
                f"selector variable {variable!r} is {value!r} here, which its table does not know",
                hint=f"choose a known one: --set {variable}=VALUE (known values: {known})",
            )
        return value

    def _choice(self, variable: str) -> tuple[str, ...]:
        selector = self.selector.selectors[variable]
        if ABI_VARIABLE.fullmatch(variable):
            prefixes = (prefix for prefix in release_prefixes(self.values[variable]) if prefix in selector.wheel_tags)
            return (*dict.fromkeys(tag for prefix in prefixes for tag in selector.wheel_tags[prefix] if tag), "")
        found = selector.tags_for(self.values[variable])
        # On another architecture the levels of this one say nothing: no tag of them can be right there.
        return ("",) if found is None else found

    def _why(self, tags: Sequence[str]) -> str:
        for tag in tags:
            owner = next((name for name, item in self.selector.selectors.items() if tag in item.tags), None)
            if owner is None:
                return f"tag {tag!r} is not in the release's selector file"
            if tag not in self.choices[owner]:
                return f"{owner} is {self.values[owner]} here: tag {tag!r} is not for it"
        for variable, choice in self.choices.items():
            if not set(tags) & set(choice) and "" not in choice:
                return f"{variable} is {self.values[variable]} here: a wheel without a tag of it is no fallback"
        return "its tags are not in the order of the selector variables"
