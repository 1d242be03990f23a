"""A first configuration, proposed from what a project has: wheels, a release, or its pyproject.toml alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import DescribedWheel, WholeWheel
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError
from variant_publish.model.cibuildwheel import cibuildwheel_matrix
from variant_publish.model.matrix import Cell, Matrix, fills, found_matrix, natural_key
from variant_publish.model.variant import GENERIC, Properties, Property, validate_label
from variant_publish.providers import catalog
from variant_publish.release.release import wheel_paths

_PLATFORM = "manylinux_2_28_x86_64"
"""The platform that is proposed where nothing names one."""
_NEWEST = max(14, sys.version_info.minor)
_FEW = 12
"""Up to so many cells without a wheel are skips; with more, the matrix itself is wrong, which `check` says."""
_ALIKE = 20
"""A wheel with device code differs from the generic one of its tags by more than this part of the size."""
_NOT_BUILT = "not built"


class Found(msgspec.Struct, frozen=True):
    """What one wheel tells: its name, its variant ("generic" too), its size, and properties.

    `said` are those that its metadata has, `seen` those that follow from its binaries.
    """

    name: WheelName
    variant: str
    size: int = 0
    said: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def of(cls, wheel: DescribedWheel, variant: str | None = None, *, look: bool = True) -> Self:
        """Read a wheel; `variant` is what it is where its name does not tell. With `look`, its binaries are read.

        Only those of variants that say nothing themselves are looked into. Raises the error of a wheel that cannot be
        read.
        """
        name = wheel.name
        own = (variant or GENERIC) if name.serves_everyone else name.label
        declared = wheel.variant_json.variants.get(name.label) if wheel.variant_json else None
        said = tuple(map(str, declared.items)) if declared else ()
        if said or own == GENERIC or not look or not isinstance(wheel, WholeWheel):
            return cls(name, own, wheel.size, said)
        from variant_publish.binary.scan import scan
        from variant_publish.release.inspection import Inspection

        return cls(name, own, wheel.size, said, Inspection.of(wheel, scan(wheel, catalog.providers())).properties)


def found_in(places: Iterable[tuple[str | None, Path]], *, look: bool = True) -> tuple[Found, ...]:
    """Read built wheels for a proposal: each place is a wheel or a folder, with the variant that it holds, or None.

    A folder that has only folders with wheels, as builds leave them, holds a variant in each, called like the folder.
    With `look`, the binaries of variants that say nothing themselves are read. Raises the error of a broken wheel.
    """
    found: list[Found] = []
    for variant, place in places:
        inside = sorted({path.parent for path in place.glob("*/*.whl")}) if place.is_dir() else []
        if variant is None and inside and not any(place.glob("*.whl")):
            found += found_in([(folder.name, folder) for folder in inside], look=look)
        else:
            found += [Found.of(WholeWheel.read(path), variant, look=look) for path in wheel_paths([place])]
    return tuple(found)


class ProposedVariant(msgspec.Struct, frozen=True):
    """One variant of a proposal, the generic one too; what is empty is not written.

    `old` is the name of its project where that is folded into another one, `flags` are environment variables.
    """

    properties: Properties = Properties()
    platform: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    old: str = ""
    flags: Mapping[str, str] = {}


class Proposal(msgspec.Struct, frozen=True):
    """A configuration to be: what is empty is left out. `project` is what projects with an `old` name become."""

    project: str = ""
    python: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    skips: tuple[Mapping[str, str], ...] = ()
    generic: ProposedVariant = ProposedVariant()
    variants: Mapping[str, ProposedVariant] = {}
    upload: Mapping[str, str] = {}


def propose(
    pyproject: Mapping[str, Any],
    wheels: Iterable[Found],
    named: Mapping[str, tuple[str, ...]],
    upload: Mapping[str, str],
) -> Proposal:
    """Propose a configuration.

    The matrix and its skips come from the wheels, else from `[tool.cibuildwheel]` or the supported Pythons; variants
    from the wheels with their properties, and from `named` (name -> property lines, empty where the name itself or a
    binary says enough: cu128, x86_64_v3). Where the wheels are of several projects, they are folded into one. Raises
    UsageError for a name whose properties nothing says.
    """
    found = list(wheels)
    projects = {canonicalize_name(one.name.plain.distribution) for one in found}
    if len(projects) > 1:
        found = [replace(one, variant=_variant_of(one)) for one in found]
    target = canonicalize_name(str(pyproject.get("project", {}).get("name", ""))) or _stem(projects)
    needs = _needs(found, named)
    found = [replace(one, variant=GENERIC) if _is_generic(one, needs, found) else one for one in found]
    matrix = (
        found_matrix((one.name.plain, one.variant) for one in found) if found else _declared(pyproject, bool(named))
    )
    variants = {}
    for name, properties in needs.items():
        group = [one for one in found if one.variant == name]
        derived = catalog.platforms_of(properties, matrix.platform)
        places = dict(matrix.variants).get(name) or derived
        tags = next((one.name.words for one in group if one.name.words), (name,))
        variants[name] = ProposedVariant(
            properties,
            () if places == derived else places,
            () if tags == (name,) else tags,
            _old_name(group, target),
            {} if group else _flags(properties, pyproject),
        )
    generic = ProposedVariant(old=_old_name((one for one in found if one.variant == GENERIC), target))
    skips = tuple(_skips(matrix, found)) if found else ()
    return Proposal(target, matrix.python, matrix.platform, skips, generic, variants, upload)


def _needs(found: Sequence[Found], named: Mapping[str, tuple[str, ...]]) -> dict[str, Properties]:
    """Return what each variant needs, those that are named first."""
    needs = {}
    for name in dict.fromkeys((*named, *(one.variant for one in found if one.variant != GENERIC))):
        validate_label(name)
        group = [one for one in found if one.variant == name]
        needs[name] = Properties.parse(named.get(name) or _properties(name, group))
        if not needs[name]:
            raise UsageError(
                f"neither the name {name!r} nor a binary says what the variant needs",
                hint=f'say it: --variant "{name}=NAMESPACE :: FEATURE :: VALUE"',
            )
    return needs


def guessed(variant: str) -> tuple[str, ...]:
    """Return the properties that a well-known word stands for: cu128, x86_64_v3, gfx942; empty for any other name."""
    return tuple(map(str, catalog.properties_of_word(variant)))


def _variant_of(one: Found) -> str:
    """Return the variant of a wheel; where only the name of its project says it (`foo-cuda12`, `foo-cpu`), that."""
    words = canonicalize_name(one.name.plain.distribution).split("-")
    return next((word for word in words if guessed(word)), GENERIC) if one.variant == GENERIC else one.variant


def _stem(projects: Iterable[str]) -> str:
    """Return the name that projects of a family have in common: `foo` of `foo-cpu` and `foo-cuda12`."""
    stems = {"-".join(word for word in name.split("-") if word != "cpu" and not guessed(word)) for name in projects}
    return min(stems, key=lambda stem: (len(stem), stem), default="")


def _declared(pyproject: Mapping[str, Any], is_needed: bool) -> Matrix:
    """Return the matrix of cibuildwheel's settings; else, if one is needed, that of the supported Pythons."""
    python, platform = cibuildwheel_matrix(pyproject)
    if is_needed and not (python and platform):
        try:
            supported = SpecifierSet(str(pyproject.get("project", {}).get("requires-python", "")))
        except InvalidSpecifier:
            supported = SpecifierSet()
        minors = [minor for minor in range(10, _NEWEST + 1) if f"3.{minor}" in supported]
        python = python or tuple(f"cp3{minor}-cp3{minor}" for minor in minors)
        platform = platform or (_PLATFORM,)
    return Matrix(python, platform, ())


def _old_name(group: Iterable[Found], target: str) -> str:
    return next((own for one in group if (own := canonicalize_name(one.name.plain.distribution)) != target), "")


def _is_generic(one: Found, needs: Mapping[str, Properties], found: Iterable[Found]) -> bool:
    """Return whether a wheel that stands for a variant is a generic one after all.

    Its platform has no such hardware, or it is as large as the wheel of the generic project for the same tags.
    """
    if not one.name.serves_everyone or one.variant not in needs:
        return False
    properties = needs[one.variant]
    if not catalog.exist_on(properties, one.name.platform):
        return True
    return not one.seen and is_as_large_as_generic(one, properties, found)


def is_as_large_as_generic(one: Found, properties: Properties, found: Iterable[Found]) -> bool:
    """Return whether a wheel for devices is as large as the generic one of another project for the same tags.

    So it has no code for them.
    """
    has_code = any((provider := catalog.find(space)) and provider.code_feature for space in properties.namespaces)
    twins = (
        other
        for other in found
        if (other.variant, other.name.tags) == (GENERIC, one.name.tags)
        and other.name.plain.distribution != one.name.plain.distribution
    )
    return has_code and any(abs(one.size - twin.size) * _ALIKE < twin.size for twin in twins)


def _flags(properties: Properties, pyproject: Mapping[str, Any]) -> dict[str, str]:
    found = [
        flags
        for item in properties.items
        if (provider := catalog.find(item.namespace)) and (flags := provider.compiler_flags(item))
    ]
    backend = str(pyproject.get("build-system", {}).get("requires", ""))
    if not found:
        return {}
    if "maturin" in backend or "setuptools-rust" in backend:
        return {"RUSTFLAGS": " ".join(flag.replace("-march=", "-C target-cpu=") for flag in found)}
    return dict.fromkeys(("CFLAGS", "CXXFLAGS"), " ".join(found))


def _skips(matrix: Matrix, found: Sequence[Found]) -> Iterator[Mapping[str, str]]:
    if not any(one.variant == GENERIC for one in found):
        yield {"variant": GENERIC, "reason": "no build serves every machine"}
    missing = [
        {"python": python, "platform": platform, "variant": variant, "reason": _NOT_BUILT}
        for variant, platforms in ((GENERIC, matrix.platform), *matrix.variants)
        if any(one.variant == variant for one in found)
        for python, platform in product(matrix.python, platforms)
        if not any(fills(one.name.plain, one.variant, Cell(python, platform, variant)) for one in found)
    ]
    yield from missing if len(missing) <= _FEW else ()


def _properties(variant: str, group: Iterable[Found]) -> tuple[str, ...]:
    """Return what the wheels of a variant say; else what its name says, and of its binaries what the name does not.

    Of a feature that has one value at a time, the highest that any wheel needs counts.
    """
    wheels = list(group)
    said = {line for one in wheels for line in one.said}
    if said:
        return tuple(map(str, Properties.parse(said).items))
    tags = next((one.name.words for one in wheels if one.name.words), (variant,))
    found = [Property.parse(line) for tag in tags for line in guessed(tag)]
    known = {(item.namespace, item.feature) for item in found}
    seen: dict[tuple[str, str], set[str]] = {}
    for item in (Property.parse(line) for one in wheels for line in one.seen):
        seen.setdefault((item.namespace, item.feature), set()).add(item.value)
    for (namespace, feature), values in seen.items():
        ordered = sorted(values, key=natural_key)
        provider = catalog.find(namespace)
        several = ordered if provider and feature == provider.code_feature else ordered[-1:]
        if (namespace, feature) not in known:
            found += [Property(namespace, feature, value) for value in several]
    return tuple(map(str, found))
