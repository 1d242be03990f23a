"""A first configuration: proposed from what a project has, written into pyproject.toml without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from tomlkit.items import Array, Table

from variant_publish.errors import UsageError
from variant_publish.model.matrix import found_matrix, natural_key
from variant_publish.model.variant import GENERIC, NULL_LABEL, Properties, validate_label
from variant_publish.model.wheel_name import WheelName

_IMAGE = re.compile(r"(manylinux|musllinux)-(\w+)-image")
_IMAGE_VALUE = re.compile(r"(manylinux|musllinux)(20[0-9]{2}|_[0-9]+_[0-9]+)")
_SELECTOR = re.compile(r"cp3([0-9]+)(t?)-")
_CUDA = re.compile(r"cu(?:da)?([0-9]{2})([0-9])")
_LEVEL = re.compile(r"x86_64_v([234])")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold a configuration to be: what is empty is left out.

    `variants` maps names to `ns :: feature :: value` lines.
    """

    dialects: tuple[str, ...] = ("plus", "pep825")
    python: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    upload: Mapping[str, str] = field(default_factory=dict)


def propose(
    pyproject: Mapping[str, Any],
    wheels: Iterable[tuple[WheelName, Properties | None]],
    named: Mapping[str, tuple[str, ...]],
    upload: Mapping[str, str],
) -> Proposal:
    """Propose a configuration.

    The matrix comes from the wheels, else from `[tool.cibuildwheel]`; variants from the wheels' names and their
    properties, and from `named` (name -> property lines, empty where the name itself says enough: cu128, x86_64_v3).
    Raises UsageError for a name whose properties nobody can tell.
    """
    found = list(wheels)
    matrix = found_matrix((name, GENERIC if name.serves_everyone else name.variant) for name, _ in found)
    python, platform = matrix.python, matrix.platform
    if not found:
        python, platform = _cibuildwheel(pyproject.get("tool", {}).get("cibuildwheel", {}))
    variants: dict[str, tuple[str, ...]] = {}
    for name, properties in found:
        if name.serves_everyone or name.variant == NULL_LABEL:
            continue
        known = tuple(map(str, properties.items)) if properties else ()
        variants[name.variant] = known or variants.get(name.variant) or guessed(name.variant)
    for variant, lines in named.items():
        validate_label(variant)
        variants[variant] = lines or variants.get(variant) or guessed(variant)
    for variant, lines in variants.items():
        if not lines:
            raise UsageError(
                f"the name {variant!r} does not tell what the variant needs",
                hint=f'say it: --variant "{variant}=NAMESPACE :: FEATURE :: VALUE"',
            )
    return Proposal(python=python, platform=platform, variants=variants, upload=upload)


def guessed(variant: str) -> tuple[str, ...]:
    """Give the properties that a usual name stands for: cu128, cuda128, x86_64_v3; empty for any other name."""
    if cuda := _CUDA.fullmatch(variant):
        return (f"nvidia :: cuda_version_lower_bound :: {cuda[1]}.{cuda[2]}",)
    if level := _LEVEL.fullmatch(variant):
        return (f"x86_64 :: level :: v{level[1]}",)
    return ()


def applied(text: str, proposal: Proposal) -> str:
    """Write the proposal into a pyproject.toml: only keys that are not there yet; comments and order stay.

    Applying it again changes nothing.
    """
    document = tomlkit.parse(text)
    tool = _table(document, "tool", is_super=True)
    ours = _table(tool, "variant-publish")
    ours.setdefault("dialects", list(proposal.dialects))
    if proposal.python and proposal.platform:
        matrix = _table(ours, "matrix")
        matrix.setdefault("python", _lines(proposal.python))
        matrix.setdefault("platform", _lines(proposal.platform))
    if proposal.variants:
        variants = _table(ours, "variants", is_super=True)
        for name, lines in proposal.variants.items():
            _table(variants, name).setdefault("properties", _lines(lines))
    if proposal.upload:
        upload = _table(ours, "upload")
        for key, value in proposal.upload.items():
            upload.setdefault(key, value)
    return tomlkit.dumps(document)


def _table(parent: Any, key: str, *, is_super: bool = False) -> Table:
    if key not in parent:
        parent[key] = tomlkit.table(is_super_table=is_super)
    table: Table = parent[key]
    return table


def _lines(items: Iterable[str]) -> Array:
    found = list(items)
    array = tomlkit.array()
    array.extend(found)
    return array.multiline(len(found) > 2)


def _cibuildwheel(table: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the pythons and platforms that `[tool.cibuildwheel]` names outright; patterns like `*` name none."""
    build = table.get("build", "")
    selectors = build.split() if isinstance(build, str) else [str(item) for item in build]
    found = {f"cp3{match[1]}-cp3{match[1]}{match[2]}" for selector in selectors if (match := _SELECTOR.match(selector))}
    platforms = {
        f"{value[0]}_{match[2]}"
        for key, image in {**table, **table.get("linux", {})}.items()
        if (match := _IMAGE.fullmatch(str(key))) and (value := _IMAGE_VALUE.fullmatch(str(image)))
    }
    return tuple(sorted(found, key=natural_key)), tuple(sorted(platforms, key=natural_key))
