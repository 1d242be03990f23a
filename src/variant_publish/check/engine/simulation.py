"""Machines that the properties of a release can tell apart, and what each of them would choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from variant_publish.check.engine.context import Context
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata, merge
from variant_publish.model.ordering import Incompatible, Supported, rank, tag_candidates
from variant_publish.model.variant import NULL_LABEL, Dialect, Properties
from variant_publish.providers import cpu, nvidia
from variant_publish.providers.machine import (
    AARCH64_VERSION,
    CUDA,
    NONE,
    SM_ARCH,
    X86_64_VERSION,
    platform_architecture,
    supported_by,
)
from variant_publish.release.release import Release
from variant_publish.release.selectors import of_release

_MANY = 50_000
"""Machines that are looked at on one platform; the properties of real releases tell a few hundred apart."""

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One machine on one row of the matrix, and its usable variants in the order of the installer, best first.

    `ties` are those that only their label sets apart from the best one; `served` says whether a generic or null wheel
    is there for it.
    """

    dialect: Dialect
    values: Values
    platform: str
    order: tuple[str, ...]
    ties: tuple[str, ...]
    served: bool

    def __str__(self) -> str:
        values = (
            ", ".join(f"{name}={value}" for name, value in self.values.items() if value != NONE) or "nothing special"
        )
        return f"a machine of {self.platform} with {values}"


@dataclass(frozen=True, slots=True)
class Row:
    """The variants that have a wheel on one platform, in one dialect."""

    platform: str
    variants: tuple[str, ...]
    served: bool


def cases_of(context: Context) -> tuple[Case, ...]:
    """Simulate the clients of both dialects, once for each release."""
    found: tuple[Case, ...] | None = context.notes.get("cases")
    if found is None:
        found = context.notes["cases"] = (*_labelled_cases(context), *_tagged_cases(context))
    return found


def _labelled_cases(context: Context) -> Iterator[Case]:
    """Simulate the clients of PEP 825; nothing where the release has no labels, or their metadata disagree."""
    parts = [wheel.variant_json for wheel in context.release.described if wheel.variant_json is not None]
    try:
        metadata = merge(parts) if parts else None
    except VariantPublishError:  # VP604 reports it
        return
    if metadata is None:
        return
    for row in _rows(context.release, Dialect.PEP825):
        for values in islice(machines(metadata.variants.values(), row.platform), _MANY):
            yield _labelled(metadata, row, values)


def _tagged_cases(context: Context) -> Iterator[Case]:
    """Simulate the clients of dialect plus; nothing where the release has no extra tags or no selector file."""
    try:
        selector = of_release(context.release).selector
    except VariantPublishError:  # VP601 reports it
        return
    if selector is None:
        return
    for row in _rows(context.release, Dialect.PLUS):
        choices = [list(selector.selectors[name].wheel_tags) for name in selector.variables]
        for combination in islice(product(*choices), _MANY):
            values = dict(zip(selector.variables, combination, strict=True))
            if not _is_foreign(values, row.platform):
                yield _tagged(selector, row, values)


def machines(variants: Iterable[Properties], platform: str) -> Iterator[Values]:
    """Return the machines of a platform that differ in some property: every level, and both sides of every bound."""
    items = [item for properties in variants for item in properties.items]
    architecture = platform_architecture(platform)
    axes: dict[str, Sequence[str]] = {}
    if architecture == cpu.X86_64:
        axes[X86_64_VERSION] = cpu.X86_64_LEVELS
    elif architecture == cpu.AARCH64 and any(item.namespace == "aarch64" for item in items):
        axes[AARCH64_VERSION] = cpu.known_aarch64_versions()
    if any(item.namespace == "nvidia" for item in items) and not platform.startswith("macosx"):
        bounds = {item.value for item in items if item.feature in (nvidia.LOWER_BOUND, nvidia.UPPER_BOUND)}
        axes[CUDA] = (NONE, *_drivers(bounds))
        if archs := {item.value for item in items if item.feature == nvidia.SM_ARCH}:
            axes[SM_ARCH] = _capabilities(archs)
    for combination in product(*axes.values()):
        values = dict(zip(axes, combination, strict=True))
        if values.get(CUDA) == NONE and values.get(SM_ARCH, axes.get(SM_ARCH, ("",))[0]) != axes.get(SM_ARCH, ("",))[0]:
            continue  # without a driver, the capability says nothing: one machine of them is enough
        yield {name: value for name, value in values.items() if name != SM_ARCH or values.get(CUDA) != NONE}


def _labelled(metadata: VariantsMetadata, row: Row, values: Values) -> Case:
    supported: Supported = {
        namespace: features
        for namespace, provider in metadata.providers.items()
        if (features := _features(namespace, provider, values))
    }
    found = [rank(label, metadata.variants[label], metadata.namespaces, supported) for label in row.variants]
    usable = sorted((one for one in found if not isinstance(one, Incompatible)), key=lambda one: one.key)
    ties = tuple(one.label for one in usable[1:] if one.triples == usable[0].triples)
    order = tuple(one.label for one in usable)
    return Case(Dialect.PEP825, values, row.platform, order, ties, row.served)


def _features(namespace: str, provider: Provider, values: Values) -> Mapping[str, Sequence[str]]:
    if provider.optional:
        return {}
    return dict(provider.static) if provider.static else supported_by(values).get(namespace, {})


def _tagged(selector: SelectorFile, row: Row, values: Values) -> Case:
    choices = [selector.selectors[name].tags_for(values[name]) or () for name in selector.variables]
    candidates = ["+".join(tags) for tags in tag_candidates(choices)]
    order = tuple(tags for tags in dict.fromkeys(candidates) if tags in row.variants)
    served = row.served and "" in candidates
    return Case(Dialect.PLUS, values, row.platform, order, (), served)


def _is_foreign(values: Values, platform: str) -> bool:
    """Return whether the CPU variables contradict the platform: a level on another architecture, none on its own."""
    architecture = platform_architecture(platform)
    own = {X86_64_VERSION: cpu.X86_64, AARCH64_VERSION: cpu.AARCH64}
    return any((values[name] == NONE) == (arch == architecture) for name, arch in own.items() if name in values)


def _rows(release: Release, dialect: Dialect) -> Iterator[Row]:
    """Return one row for each platform and set of variants: further Pythons with the same choice show nothing new."""
    places: dict[tuple[str, str], tuple[set[str], list[bool]]] = {}
    for wheel in release.wheels:
        name = wheel.name
        for tag in name.tags:
            variants, served = places.setdefault((f"{tag.interpreter}-{tag.abi}", tag.platform), (set(), []))
            if name.dialect is dialect and name.label != NULL_LABEL:
                variants.add(name.label if name.label is not None else "+".join(name.extra_tags))
            elif name.serves_everyone:
                served.append(True)
    seen = set()
    for (_, platform), (found, served) in sorted(places.items()):
        if found and (key := (platform_architecture(platform), frozenset(found), bool(served))) not in seen:
            seen.add(key)
            yield Row(platform, tuple(sorted(found)), bool(served))


def _drivers(bounds: Iterable[str]) -> tuple[str, ...]:
    """Return drivers on both sides of every bound."""
    found = set()
    for major, minor in filter(None, map(nvidia.parse_pair, bounds)):
        found |= {(major, minor), (major, minor + 1), (major, minor - 1) if minor else (major - 1, 9)}
    return tuple(f"{major}.{minor}" for major, minor in sorted(found))


def _capabilities(values: Iterable[str]) -> tuple[str, ...]:
    found = set()
    for value in values:
        number = value.partition("_")[0]
        if number.isdigit():
            found |= {(int(number) // 10, int(number) % 10), (int(number) // 10, 9)}
    return tuple(f"{major}.{minor}" for major, minor in sorted(found)) or (NONE,)
