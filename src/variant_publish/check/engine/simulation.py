"""Machines that the properties of a release distinguish, and what each of them gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from variant_publish.check.engine.context import Context
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata, merge
from variant_publish.model.ordering import Incompatible, Supported, rank, tag_candidates
from variant_publish.model.variant import Properties
from variant_publish.providers import catalog
from variant_publish.providers.base import NONE, Values
from variant_publish.providers.platforms import AARCH64, X86_64, platform_architecture
from variant_publish.release.release import Release
from variant_publish.release.selectors import of_release

_MANY = 50_000
"""Machines that are looked at on one platform; the properties of real releases tell a few hundred apart."""


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
    for row in _rows(context.release, PEP825):
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
    for row in _rows(context.release, PLUS):
        choices = [list(selector.selectors[name].wheel_tags) for name in selector.variables]
        for combination in islice(product(*choices), _MANY):
            values = dict(zip(selector.variables, combination, strict=True))
            if not _is_foreign(values, row.platform):
                yield _tagged(selector, row, values)


def machines(variants: Iterable[Properties], platform: str) -> Iterator[Values]:
    """Return the machines of a platform that differ in some property, as the provider of each namespace has them."""
    items = {item for properties in variants for item in properties.items}
    axes = [
        provider.machines(sorted(item for item in items if item.namespace == provider.namespace), platform)
        for provider in catalog.providers()
        if any(item.namespace == provider.namespace for item in items)
    ]
    for combination in product(*axes):
        yield {name: value for values in combination for name, value in values.items()}


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
    return Case(PEP825, values, row.platform, order, ties, row.served)


def _features(namespace: str, provider: Provider, values: Values) -> Mapping[str, Sequence[str]]:
    if provider.optional:
        return {}
    if provider.static:
        return dict(provider.static)
    own = catalog.find(namespace)
    return own.supported(values) if own else {}


def _tagged(selector: SelectorFile, row: Row, values: Values) -> Case:
    choices = [selector.selectors[name].tags_for(values[name]) or () for name in selector.variables]
    candidates = ["+".join(tags) for tags in tag_candidates(choices)]
    order = tuple(tags for tags in dict.fromkeys(candidates) if tags in row.variants)
    served = row.served and "" in candidates
    return Case(PLUS, values, row.platform, order, (), served)


def _is_foreign(values: Values, platform: str) -> bool:
    """Return whether the CPU variables contradict the platform: a level on another architecture, none on its own."""
    architecture = platform_architecture(platform)
    own = {"x86_64_version": X86_64, "aarch64_version": AARCH64}
    return any((values[name] == NONE) == (arch == architecture) for name, arch in own.items() if name in values)


def _rows(release: Release, dialect: Dialect) -> Iterator[Row]:
    """Return one row for each platform and set of variants: further Pythons with the same choice show nothing new."""
    places: dict[tuple[str, str], tuple[set[str], list[bool]]] = {}
    for wheel in release.wheels:
        name = wheel.name
        for tag in name.tags:
            variants, served = places.setdefault((f"{tag.interpreter}-{tag.abi}", tag.platform), (set(), []))
            if name.dialect is dialect and not name.serves_everyone:
                variants.add(name.variant)
            elif name.serves_everyone:
                served.append(True)
    seen = set()
    for (_, platform), (found, served) in sorted(places.items()):
        if found and (key := (platform_architecture(platform), frozenset(found), bool(served))) not in seen:
            seen.add(key)
            yield Row(platform, tuple(sorted(found)), bool(served))
