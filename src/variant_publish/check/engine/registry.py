"""The rules that there are: every class with an id of its own in a module of the families, in order of the ids."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from variant_publish.check.engine.rule import FamilyRule, FolderRule, ReleaseRule, Rule
from variant_publish.check.rules import (
    abi,
    archive,
    claims,
    closure,
    content,
    cpu,
    destination,
    dialects,
    extensions,
    gpu,
    linkage,
    links,
    machines,
    matrix,
    metadata,
    regression,
    running,
    selection,
    siblings,
)
from variant_publish.check.rules import system_libraries as loading

FAMILIES: tuple[ModuleType, ...] = (
    archive,
    content,
    metadata,
    matrix,
    regression,
    abi,
    extensions,
    closure,
    linkage,
    loading,
    gpu,
    cpu,
    claims,
    selection,
    machines,
    destination,
    siblings,
    links,
    dialects,
    running,
)
"""The modules that define rules; a new rule in one of them is registered by being there."""


def _defined_in(family: ModuleType) -> list[type[Rule]]:
    return [
        value
        for value in vars(family).values()
        if inspect.isclass(value)
        and issubclass(value, Rule)
        and "id" in vars(value)
        and value.__module__ == family.__name__
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
