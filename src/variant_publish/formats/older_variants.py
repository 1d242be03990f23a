"""Variant metadata as variantlib wrote it before PEP 825: read leniently, turned into today's.

The same tables lie in `variant.json`, in `{name}-{version}-variants.json` and under `[variant]` of a pyproject.toml:

- without a version, and v0.0.2: `default-priorities.feature` and `.property`, `enable-if`, `plugin-use`; the null
  variant is labelled `00000000`;
- v0.0.3: `install-time` in place of `plugin-use`, `static-properties` at the top;
- v0.2.0 of variantlib: what PEP 850 has now, under another `$schema`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from variant_publish.formats.typed import prepared, refusing
from variant_publish.formats.variants_json import (
    SCHEMA_825,
    SCHEMA_850,
    InvalidVariantMetadata,
    Provider,
    VariantConflict,
    VariantsMetadata,
    json_object,
)
from variant_publish.model.variant import NULL_LABEL, Properties

_SCHEMAS = "https://variants-schema.wheelnext.dev/"
_FORMER_NAMES = {"provider-variant-x86-64": "x86_64", "provider-variant-aarch64": "aarch64"}


class OlderProvider(msgspec.Struct, frozen=True, rename="kebab"):
    """One table of `providers`; `current` says whether it is of today's schema."""

    requires: tuple[str, ...] | None = None
    build_requires: tuple[str, ...] | None = None
    plugin_api: str | None = None
    static_properties: Mapping[str, tuple[str, ...]] | None = None
    feature_order: tuple[str, ...] = ()
    builtin: str | None = None
    optional: bool = False
    install_time: bool | None = None
    plugin_use: Any = "all"
    enable_if: Any = None
    current: bool = msgspec.field(default=False, name="_current")

    @property
    def plugin(self) -> tuple[str, ...]:
        """Return the requirements of the plugin."""
        return self.requires or self.build_requires or ()

    @property
    def installs(self) -> bool:
        """Return whether installers were to run the plugin."""
        if self.build_requires is not None:
            return False
        return self.plugin_use == "all" if self.install_time is None else self.install_time


class _Priorities(msgspec.Struct, frozen=True):
    namespace: tuple[str, ...] = ()
    feature: Mapping[str, tuple[str, ...]] = {}
    property: Mapping[str, Mapping[str, tuple[str, ...]]] = {}


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    schema: str = msgspec.field(default=_SCHEMAS, name="$schema")
    default_priorities: _Priorities = _Priorities()
    static_properties: Mapping[str, Mapping[str, tuple[str, ...]]] = {}
    providers: Mapping[str, OlderProvider] = {}
    variants: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {}


class OlderVariants(msgspec.Struct, frozen=True):
    """Variant metadata of any schema, as it was written; `features` and `values` are the finer priorities."""

    schema: str
    namespaces: tuple[str, ...] = ()
    features: Mapping[str, tuple[str, ...]] = {}
    values: Mapping[str, Mapping[str, tuple[str, ...]]] = {}
    providers: Mapping[str, OlderProvider] = {}
    variants: Mapping[str, Properties] = {}

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse JSON of any schema that variantlib or the PEPs have had; raise InvalidVariantMetadata for another."""
        data = json_object(content, hint="build the wheel again")
        schema = data.get("$schema", _SCHEMAS)
        if not isinstance(schema, str) or not schema.startswith(_SCHEMAS):
            raise InvalidVariantMetadata(
                f"variant metadata has the schema {schema!r}, which is none of variantlib's",
                hint=f"convert knows those below {_SCHEMAS}",
            )
        return cls.from_tables(data)

    @classmethod
    def from_tables(cls, data: Mapping[str, Any]) -> Self:
        """Build from parsed JSON, or from the `[variant]` table of a pyproject.toml."""
        with refusing(_of_a_wrong_type):
            file = msgspec.convert(data, prepared(_File), strict=False)
        current, static = file.schema in (SCHEMA_825, SCHEMA_850), file.static_properties
        tables = {**dict.fromkeys(static, OlderProvider()), **file.providers}
        providers = {
            name: replace(one, current=current, static_properties=one.static_properties or static.get(name, {}))
            for name, one in tables.items()
        }
        variants = {label: Properties.from_table(table) for label, table in file.variants.items()}
        prior = file.default_priorities
        return cls(file.schema, prior.namespace, prior.feature, prior.property, providers, variants)

    def today(
        self,
        known: Mapping[str, Provider],
        given: Mapping[str, Provider] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> tuple[VariantsMetadata, tuple[str, ...]]:
        """Return the metadata as PEP 850 has it, and a line for everything that could not be kept as it was.

        `known` are the providers of today, `given` those that stand for themselves, `labels` new names of labels.
        Raises InvalidVariantMetadata where a namespace has no provider, VariantConflict where two labels become one.
        """
        variants = _relabelled(self.variants, labels or {})
        used = sorted({name for properties in variants.values() for name in properties.namespaces})
        namespaces = tuple(dict.fromkeys((*self.namespaces, *used)))
        notes = [f"namespace {name!r} had no priority: it comes last" for name in used if name not in self.namespaces]
        notes += [
            f"provider {name!r} is left out: no priority names it, and no variant" for name in self.providers
            if name not in namespaces
        ]  # fmt: skip
        providers = {}
        for namespace in namespaces:
            if namespace in (given or {}):
                providers[namespace] = (given or {})[namespace]
                continue
            providers[namespace], remarks = self._provider(namespace, known.get(namespace))
            notes += remarks
        return VariantsMetadata(namespaces, variants, providers), tuple(notes)

    def _provider(self, namespace: str, known: Provider | None) -> tuple[Provider, list[str]]:
        older = self.providers.get(namespace)
        if older is None:
            return _without(namespace, known)
        notes = []
        if older.enable_if is not None:
            notes = [
                f"provider {namespace!r}: enable-if is left out: when it applies is for the provider itself to say"
            ]
        if older.builtin is not None:
            return Provider(builtin=older.builtin, optional=older.optional), notes
        if older.static_properties or not older.installs or not older.plugin:
            static, remarks = self._static(namespace, older)
            return Provider.ranked(static, optional=older.optional), notes + remarks
        if namespace in self.features or namespace in self.values:
            notes.append(f"provider {namespace!r}: priorities of features and values are left out: it has its own")
        if known is not None and not older.current and _same_project(namespace, older.plugin, known):
            kept = replace(known, optional=older.optional)
            if (older.plugin, older.plugin_api) != (kept.requires, kept.plugin_api):
                notes.append(f"provider {namespace!r}: {', '.join(older.plugin)} became {', '.join(kept.requires)}")
            return kept, notes
        return Provider(requires=older.plugin, plugin_api=older.plugin_api, optional=older.optional), notes

    def _static(self, namespace: str, older: OlderProvider) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """Return the static properties, best first: priorities, then the order of the table, else the natural one."""
        used = [
            item for properties in self.variants.values() for item in properties.items if item.namespace == namespace
        ]
        prior, declared = self.values.get(namespace, {}), older.static_properties or {}
        features = _unique(
            self.features.get(namespace, ()), older.feature_order, declared, prior, [item.feature for item in used]
        )
        table: dict[str, tuple[str, ...]] = {}
        notes = []
        for feature in features:
            stated = _unique(prior.get(feature, ()), declared.get(feature, ()))
            values = _unique(stated, sorted({item.value for item in used if item.feature == feature}))
            if guessed := values[len(stated) :]:
                notes.append(
                    f"provider {namespace!r}: {', '.join(guessed)} of {feature!r} had no order: they come last"
                )
            if values:
                table[feature] = values
        if not table:
            raise InvalidVariantMetadata(
                f"namespace {namespace!r} has a provider that says nothing and no variant that uses it",
                hint="take it out of default-priorities.namespace",
            )
        return table, notes


def unite(parts: Iterable[OlderVariants], given: Collection[str] = ()) -> OlderVariants:
    """Unite what the wheels and index files of one release say, as variantlib did, in any order.

    What has been converted already counts more than what has not, so that a conversion that was cut off can be run
    again. Raises VariantConflict where a label means two things, or where the priorities or a provider disagree; the
    namespaces in `given` have a provider from elsewhere.
    """
    pieces = sorted(parts, key=lambda piece: (-len(piece.namespaces), piece.namespaces, piece.schema))
    first = pieces[0]
    for piece in pieces:
        if first.namespaces[: len(piece.namespaces)] != piece.namespaces:
            raise VariantConflict(
                f"the release orders namespaces in two ways: {list(piece.namespaces)} and {list(first.namespaces)}",
                hint="convert its wheels in two goes, or build them again",
            )
    return replace(
        first,
        variants=_united_variants(pieces),
        providers=_united_providers(pieces, given),
        features=next((piece.features for piece in pieces if piece.features), {}),
        values=next((piece.values for piece in pieces if piece.values), {}),
    )


def _united_variants(pieces: Iterable[OlderVariants]) -> dict[str, Properties]:
    variants: dict[str, Properties] = {}
    for label, properties in (item for piece in pieces for item in piece.variants.items()):
        if variants.setdefault(label, properties) != properties:
            raise VariantConflict(
                f"label {label!r} means two things in this release: {variants[label]} and {properties}",
                hint="convert its wheels in two goes, with --label OLD=NEW for one of them",
            )
    return variants


def _united_providers(pieces: Iterable[OlderVariants], given: Collection[str]) -> dict[str, OlderProvider]:
    found = [item for piece in pieces for item in piece.providers.items()]
    providers: dict[str, OlderProvider] = {}
    for namespace, provider in sorted(found, key=lambda item: not item[1].current):
        known = providers.setdefault(namespace, provider)
        if known != provider and known.current == provider.current and namespace not in given:
            raise VariantConflict(
                f"namespace {namespace!r} has two providers in this release",
                hint=f"say which counts: [tool.variant-publish.providers.{namespace}], and --config",
            )
    return providers


def _relabelled(variants: Mapping[str, Properties], labels: Mapping[str, str]) -> dict[str, Properties]:
    result: dict[str, Properties] = {}
    for label, properties in variants.items():
        new = new_label(label, properties, labels)
        if result.setdefault(new, properties) != properties:
            raise VariantConflict(
                f"two variants would be labelled {new!r}", hint="label them differently: --label OLD=NEW"
            )
    return result


def new_label(label: str, properties: Properties, labels: Mapping[str, str]) -> str:
    """Return label of today: `null` for no properties, whatever it was called; else the given one, else the same."""
    return labels.get(label, label) if properties else NULL_LABEL


def _without(namespace: str, known: Provider | None) -> tuple[Provider, list[str]]:
    if known is None:
        raise InvalidVariantMetadata(
            f"namespace {namespace!r} has no provider, so no installer could choose by it",
            hint=f"declare one: [tool.variant-publish.providers.{namespace}] with static-properties, and --config",
        )
    return known, [f"provider {namespace!r} was missing: it is the one that installers know"]


def _same_project(namespace: str, requires: Sequence[str], known: Provider) -> bool:
    """Return whether all requirements are of the provider that installers know, under its name or a former one."""
    try:
        names = {canonicalize_name(Requirement(text).name) for text in requires}
    except InvalidRequirement:
        return False
    ours = {canonicalize_name(Requirement(text).name) for text in known.requires}
    return all(name in ours or _FORMER_NAMES.get(name) == namespace for name in names)


def _of_a_wrong_type(reason: str) -> InvalidVariantMetadata:
    return InvalidVariantMetadata(
        f"variant metadata has a key of a wrong type ({reason})", hint="build the wheel again"
    )


def _unique(*parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))
