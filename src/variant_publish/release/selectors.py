"""The selector files of a release, in both dialects: gathered from wheels, given, or derived from properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from variant_publish.archive.wheel import described
from variant_publish.config.tables import TABLE
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.selector_toml import Selector, SelectorFile, merge_selectors, selector_toml_name
from variant_publish.formats.variants_json import VariantConflict, VariantsMetadata, merge, variants_json_name
from variant_publish.model.ordering import Ranked, Supported, rank
from variant_publish.model.variant import GENERIC, Dialect, Properties, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import cpu, nvidia
from variant_publish.providers.machine import AARCH64_VERSION, CUDA, NONE, X86_64_VERSION, supported_by
from variant_publish.release.release import Release


@dataclass(frozen=True, slots=True)
class SelectorFiles:
    """What installers choose a release's wheels by; None where the release is not in that dialect."""

    variants: VariantsMetadata | None = None
    selector: SelectorFile | None = None

    def texts(self, project: str, version: str) -> dict[str, str]:
        """Return the text of each file by its name on the index."""
        result = {}
        if self.variants is not None:
            result[variants_json_name(project, version)] = self.variants.dumps()
        if self.selector is not None:
            result[selector_toml_name(project, version)] = self.selector.dumps()
        return result

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Self:
        """Parse the texts of one release by their names; an error names the file."""
        variants, selector = None, None
        for name, text in texts.items():
            try:
                if is_variants_json(name):
                    variants = VariantsMetadata.parse(text)
                elif is_selector_toml(name):
                    selector = SelectorFile.parse(text)
            except VariantPublishError as error:
                raise VariantPublishError(f"{name}: {error.message}", hint=error.hint) from error
        return cls(variants, selector)

    def merged(self, other: Self) -> Self:
        """Unite the files of two parts of a release; raise VariantConflict or SelectorConflict."""
        variants = [part.variants for part in (self, other) if part.variants is not None]
        selectors = [part.selector for part in (self, other) if part.selector is not None]
        return type(self)(
            merge(variants) if variants else None,
            merge_selectors(selectors) if selectors else None,
        )


def is_variants_json(filename: str) -> bool:
    """Return whether a file on an index is the variants metadata of a release (PEP 825)."""
    return filename.endswith("-variants.json")


def is_selector_toml(filename: str) -> bool:
    """Return whether a file on an index is the selector file of a release (dialect plus)."""
    return filename.endswith("-wheel-selector.toml")


def of_release(release: Release, reporter: Reporter = SILENT) -> SelectorFiles:
    """Return the selector files of the release's wheels.

    The variants metadata is the union of what the wheels carry. The selector file is the configured one, or derived
    from all configured variants, built or not, so that jobs that publish parts of a release agree on it.
    """
    return SelectorFiles(_variants(release), _selector_file(release, reporter))


def derive(
    variants: Sequence[Variant],
    namespaces: Sequence[str],
    given: Mapping[str, Selector],
    generic: bool = True,
    reporter: Reporter = SILENT,
) -> SelectorFile:
    """Derive the selector file of dialect plus from the properties of the variants.

    Each value of a variable lists the tags that a machine with this value can use, in the order of PEP 825, so both
    dialects choose alike. `namespaces` is the priority, and with it the order of the variables; `given` are selectors
    written in full, which stand for themselves. `generic` says whether the wheel without tags is a fallback. Raises
    UsageError where the properties do not tell what a tag stands for.
    """
    known = {tag for selector in given.values() for tag in selector.tags}
    meanings: dict[str, dict[str, Properties]] = {}
    for variant in variants:
        for namespace, tag, properties in _meanings(variant, namespaces, given, known, reporter):
            tags = meanings.setdefault(namespace, {})
            if tags.setdefault(tag, properties) != properties:
                raise _inexpressible(f"tag {tag!r} stands for {tags[tag]} and for {properties}", namespace)
    if not meanings:
        return SelectorFile(given)
    selectors = dict(given)
    for namespace, tags in meanings.items():
        # A wheel that has another variable's tag alone is reached by no tag of this one.
        optional = generic or any(not set(tags) & set(variant.tags) for variant in variants)
        selectors[_DERIVED[namespace].variable] = _selector(namespace, tags, optional)
    order = [_DERIVED[namespace].variable if namespace in _DERIVED else namespace for namespace in namespaces]
    order += [variable for variable in given if variable not in order]
    return SelectorFile({variable: selectors[variable] for variable in order if variable in selectors})


@dataclass(frozen=True, slots=True)
class _Derivation:
    """How a namespace becomes a variable, which of its features the table tells, and for which values."""

    variable: str
    features: tuple[str, ...]
    values: Callable[[], Sequence[str]]

    def supported(self, value: str) -> Supported:
        """Return the properties that a machine with this value supports."""
        return supported_by({self.variable: value})


def _cuda_values() -> list[str]:
    # A table lists values, not ranges, so it must end somewhere. It begins where the properties do, at 11.0, and 14.9
    # leaves a published file years to live; a driver beyond it is told so, instead of being served by guess.
    return [NONE, *(f"{major}.{minor}" for major in range(11, 15) for minor in range(10))]


_DERIVED: Mapping[str, _Derivation] = {
    "x86_64": _Derivation(X86_64_VERSION, ("level",), lambda: (NONE, *cpu.X86_64_LEVELS)),
    "aarch64": _Derivation(AARCH64_VERSION, ("version",), lambda: (NONE, *cpu.known_aarch64_versions())),
    "nvidia": _Derivation(CUDA, (nvidia.LOWER_BOUND, nvidia.UPPER_BOUND), _cuda_values),
}
_UNTOLD = {("nvidia", nvidia.SM_ARCH)}
"""Features that a table leaves out with a warning; any other one is an error."""


def _selector(namespace: str, tags: Mapping[str, Properties], optional: bool) -> Selector:
    rule = _DERIVED[namespace]
    fallback = ("",) if optional else ()
    table = {}
    for value in rule.values():
        supported = rule.supported(value)
        ranks = [rank(tag, properties, [namespace], supported) for tag, properties in tags.items()]
        usable = sorted((item for item in ranks if isinstance(item, Ranked)), key=lambda item: item.key)
        table[value] = (*(item.label for item in usable), *fallback)
    return Selector(table, ("variant-publish",), (f"variant_publish.providers.selectors:{rule.variable}",))


def _meanings(
    variant: Variant, namespaces: Sequence[str], given: Mapping[str, Selector], known: set[str], reporter: Reporter
) -> Iterator[tuple[str, str, Properties]]:
    """Return (namespace, tag, properties) for each tag of a variant that no given selector explains."""
    tags = [tag for tag in variant.tags if tag not in known]
    if not tags:
        return
    properties = variant.properties
    foreign = [namespace for namespace in properties.namespaces if namespace not in _DERIVED]
    if foreign and len(tags) == len(variant.tags):
        raise _inexpressible(
            f"variant {variant.name!r} has properties of {foreign[0]!r}, which no known variable tells", foreign[0]
        )
    own = [name for name in namespaces if name in properties.namespaces and _is_free(name, given)]
    if len(own) != len(tags):
        has = f"properties of {' and '.join(own)}" if own else "no properties that a variable could be derived from"
        raise _inexpressible(
            f"variant {variant.name!r} has the tags {'+'.join(tags)!r} and {has}, where each tag needs one namespace",
            own[0] if own else "NAME",
        )
    for namespace, tag in zip(own, tags, strict=True):
        yield namespace, tag, _told(variant, tag, namespace, reporter)


def _is_free(namespace: str, given: Mapping[str, Selector]) -> bool:
    return namespace in _DERIVED and _DERIVED[namespace].variable not in given


def _told(variant: Variant, tag: str, namespace: str, reporter: Reporter) -> Properties:
    """Return the properties of one namespace that its table can tell; warn of those that it leaves out."""
    rule = _DERIVED[namespace]
    possible = [rule.supported(value).get(namespace, {}) for value in rule.values()]
    items = [item for item in variant.properties.items if item.namespace == namespace]
    for item in items:
        if item.feature in rule.features:
            if not any(item.value in features.get(item.feature, ()) for features in possible):
                raise _inexpressible(f"variant {variant.name!r} has {item}, which no machine has", namespace)
        elif (namespace, item.feature) not in _UNTOLD:
            raise _inexpressible(f"variant {variant.name!r} has {item}, which no known variable tells", namespace)
    told = Properties(tuple(item for item in items if item.feature in rule.features))
    if not told:
        raise _inexpressible(f"variant {variant.name!r} has {items[0].feature} of {namespace} only", namespace)
    for feature in sorted({item.feature for item in items} - set(rule.features)):
        reporter.warn(
            f"selector {rule.variable!r} does not tell {namespace} :: {feature} of variant {variant.name!r}:"
            f" machines choose {tag!r} without regard to it"
        )
    return told


def _inexpressible(why: str, place: str) -> UsageError:
    variable = _DERIVED[place].variable if place in _DERIVED else place
    return UsageError(
        f"the selector file of dialect plus cannot be derived: {why}",
        hint=f"give the selector in full as [{TABLE}.selectors.{variable}]",
    )


def _variants(release: Release) -> VariantsMetadata | None:
    parts = []
    for wheel in described(wheel for wheel in release.wheels if wheel.name.dialect is Dialect.PEP825):
        if wheel.variant_json is None:
            raise VariantPublishError(
                f"{wheel.filename} has a variant label and no {wheel.dist_info}/variant.json",
                hint="label it with 'variant-publish retag', which writes both",
            )
        parts.append(wheel.variant_json)
    try:
        return merge(parts) if parts else None
    except VariantConflict as error:
        raise VariantConflict(f"{release.project} {release.version}: {error.message}", hint=error.hint) from error


def _selector_file(release: Release, reporter: Reporter) -> SelectorFile | None:
    used = {tag: wheel for wheel in reversed(release.wheels) for tag in wheel.name.extra_tags}
    if not used:
        return None
    config = release.config
    generic = (
        config.matrix is None
        or any(cell.variant == GENERIC for cell in config.matrix.cells())
        or any(wheel.name.dialect is None for wheel in release.wheels)
    )
    result = derive(tuple(config.variants.values()), config.namespaces, config.selectors, generic, reporter)
    known = {tag for selector in result.selectors.values() for tag in selector.tags}
    for tag, wheel in sorted(used.items()):
        if tag not in known:
            raise _inexpressible(f"{wheel.filename} has the tag {tag!r}, which no variant declares", "NAME")
    return result
