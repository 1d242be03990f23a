"""The rules that there are: every class with an id of its own in a module of `check.rules`, in order of the ids."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from variant_publish.check import rules
from variant_publish.check.engine.rule import FamilyRule, FolderRule, ReleaseRule, Rule

FAMILIES: tuple[ModuleType, ...] = tuple(
    import_module(f"{rules.__name__}.{module.name}") for module in pkgutil.iter_modules(rules.__path__)
)
"""The modules that define rules; a new rule in one of them is registered by being there."""


def _defined_in(family: ModuleType) -> list[type[Rule]]:
    return [
        value
        for value in vars(family).values()
        if isinstance(value, type)
        and value.__module__ == family.__name__
        and "id" in vars(value)
        and issubclass(value, Rule)  # the last: abstract classes ask all of their subclasses
    ]


RULES: tuple[Rule, ...] = tuple(
    sorted((found() for family in FAMILIES for found in _defined_in(family)), key=lambda rule: rule.id)
)
FOLDER_RULES = tuple(rule for rule in RULES if isinstance(rule, FolderRule))
RELEASE_RULES: tuple[ReleaseRule[Any], ...] = tuple(rule for rule in RULES if isinstance(rule, ReleaseRule))
FAMILY_RULES = tuple(rule for rule in RULES if isinstance(rule, FamilyRule))

_BY_ID = {rule.id: rule for rule in RULES}


def rule(id_: str) -> Rule:
    """Return the rule of an id."""
    return _BY_ID[id_]
