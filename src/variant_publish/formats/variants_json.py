"""`variant.json` in a wheel and `{name}-{version}-variants.json` on an index (PEP 825 "Metadata", PEP 850)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.typed import from_table, to_json
from variant_publish.model.requirement import check_installable
from variant_publish.model.variant import NULL_LABEL, Properties, validate_label

SCHEMA_825 = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
SCHEMA_850 = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"

SUFFIX = "-variants.json"
"""The end of the file name on an index."""

WHEEL_FILE = "variant.json"
"""The name of the file in a wheel's dist-info folder."""

ABI_DEPENDENCY = "abi_dependency"

_KEY = r"[a-z0-9_]+"


class InvalidVariantMetadata(VariantPublishError):
    """Report metadata that PEP 825 or 850 does not allow; today's uv drops the whole version for it."""


class VariantConflict(VariantPublishError):
    """Report two pieces of one release that contradict each other."""


class Provider(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True, forbid_unknown_fields=True):
    """A provider of PEP 850: how the properties of one namespace are evaluated; keys as `variants.json` has them.

    Exactly one of `static-properties`, `requires` (with `plugin-api`) and `builtin` is set.
    """

    static_properties: Mapping[str, tuple[str, ...]] = {}
    """Each feature with its values, best first."""
    feature_order: tuple[str, ...] = ()
    """The features, most important first; needed for more than one."""
    requires: tuple[str, ...] = ()
    """The requirement of the plugin."""
    plugin_api: str | None = None
    """The entry point of the plugin; default: the name of the requirement."""
    builtin: str | None = None
    """A provider that installers have in them: "abi_dependency"."""
    optional: bool = False
    """Whether the provider is off until a user turns it on."""

    def __post_init__(self) -> None:
        given = [bool(self.requires), bool(self.static_properties), self.builtin is not None]
        if sum(given) != 1:
            raise InvalidVariantMetadata(
                "a provider must have exactly one of static-properties, requires and builtin",
                hint="keep the one that installers should use",
            )
        if self.plugin_api is not None and not self.requires:
            raise InvalidVariantMetadata("plugin-api stands without requires", hint="name the plugin's requirement")
        if self.builtin not in (None, ABI_DEPENDENCY):
            raise InvalidVariantMetadata(
                f"builtin {self.builtin!r} is not known", hint=f"the only one is {ABI_DEPENDENCY!r}"
            )
        for requirement in self.requires:
            try:
                check_installable(requirement)
            except UsageError as error:
                raise InvalidVariantMetadata(
                    f"provider requirement {requirement!r} is not valid", hint="write a PEP 508 requirement"
                ) from error
        static, order = self.static_properties, self.feature_order or tuple(self.static_properties)
        if sorted(order) != sorted(static) or (len(static) > 1 and not self.feature_order):
            raise InvalidVariantMetadata(
                "feature-order does not name each feature of static-properties exactly once",
                hint=f"write feature-order = {sorted(static)} in the order of importance",
            )
        msgspec.structs.force_setattr(self, "static_properties", {feature: static[feature] for feature in order})
        msgspec.structs.force_setattr(self, "feature_order", order if len(order) > 1 else ())

    @classmethod
    def ranked(cls, features: Mapping[str, tuple[str, ...]], *, optional: bool = False) -> Self:
        """Build from static properties, the most important feature first."""
        return cls(static_properties=features, feature_order=tuple(features), optional=optional)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Build from the JSON object (or the TOML table of the same keys)."""
        return from_table(table, cls, _not_as_the_peps)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        table: dict[str, Any] = msgspec.to_builtins(self)
        return table


class _Priorities(msgspec.Struct, frozen=True):
    namespace: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    schema: str = msgspec.field(name="$schema")
    default_priorities: _Priorities
    providers: Mapping[str, Provider] = {}
    variants: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]


class VariantsMetadata(msgspec.Struct, frozen=True):
    """The variants of a release, or of one wheel: priorities, providers, label -> properties.

    Raises InvalidVariantMetadata where the PEPs do not allow it. `parse(dumps()) == self`; `schema` is derived:
    850 with providers, 825 without.
    """

    namespaces: tuple[str, ...]
    variants: Mapping[str, Properties] = {}
    providers: Mapping[str, Provider] = {}

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "variants", dict(sorted(self.variants.items())))
        msgspec.structs.force_setattr(self, "providers", dict(sorted(self.providers.items())))
        if not self.namespaces or len(set(self.namespaces)) != len(self.namespaces):
            raise InvalidVariantMetadata(
                "default-priorities.namespace is empty or names a namespace twice",
                hint="list every namespace of the release once, most important first (--priority NS,NS...)",
            )
        for namespace in self.namespaces:
            if not re.fullmatch(_KEY, namespace):
                raise InvalidVariantMetadata(
                    f"namespace {namespace!r} has illegal characters", hint="use a-z, 0-9 and _"
                )
        for label, properties in self.variants.items():
            validate_label(label)
            if label == NULL_LABEL and properties:
                raise InvalidVariantMetadata(
                    "the null variant has properties", hint="choose another label for that variant"
                )
            if missing := sorted(set(properties.namespaces) - set(self.namespaces)):
                raise InvalidVariantMetadata(
                    f"variant {label!r} uses the namespace {missing[0]!r}, which the priorities do not list",
                    hint=f"add it: --priority {','.join((*self.namespaces, *missing))}",
                )
        if self.providers and set(self.providers) != set(self.namespaces):
            odd = sorted(set(self.providers) ^ set(self.namespaces))[0]
            raise InvalidVariantMetadata(
                f"providers and default-priorities.namespace differ on {odd!r}", hint="list the same namespaces in both"
            )

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the JSON of PEP 825 or 850; name an older schema as such."""
        data = json_object(content, hint="write the file again")
        schema = data.get("$schema")
        if schema not in (SCHEMA_825, SCHEMA_850):
            raise InvalidVariantMetadata(
                f"variant metadata has the schema {schema!r}, which installers of today refuse",
                hint=f"run variant-publish convert, which writes {SCHEMA_850}",
            )
        return cls.from_table(data)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """Build from the JSON object."""
        file = from_table(table, _File, _not_as_the_peps)
        variants = {label: Properties.from_table(features) for label, features in file.variants.items()}
        return cls(file.default_priorities.namespace, variants, file.providers)

    def table(self) -> dict[str, Any]:
        """Return the JSON object: keys in this order, and sorted below them."""
        variants = {label: properties.grouped for label, properties in self.variants.items()}
        file = _File(
            schema=self.schema, default_priorities=_Priorities(self.namespaces), providers=self.providers,
            variants=variants,
        )  # fmt: skip
        table: dict[str, Any] = msgspec.to_builtins(file)
        return table

    @property
    def schema(self) -> str:
        """Return the schema's address: PEP 850 where providers are listed, else PEP 825."""
        return SCHEMA_850 if self.providers else SCHEMA_825

    def only(self, label: str) -> Self:
        """Return the metadata that the wheel of one label carries."""
        return replace(self, variants={label: self.variants[label]})

    def dumps(self) -> str:
        """Return the JSON text: two spaces, a final newline; equal values give equal text."""
        return to_json(self.table(), 2)


def merge(parts: Iterable[VariantsMetadata]) -> VariantsMetadata:
    """Unite the metadata of the wheels of a release; the result does not depend on the order of `parts`.

    Namespace lists are equal or one begins with the other, and the longer wins. Raises VariantConflict where a label
    has two sets of properties, a namespace two providers, or the priorities disagree (PEP 825, "Index metadata").
    """
    pieces = list(parts)
    namespaces: tuple[str, ...] = max((piece.namespaces for piece in pieces), key=lambda names: (len(names), names))
    variants: dict[str, Properties] = {}
    providers: dict[str, Provider] = {}
    for piece in pieces:
        if namespaces[: len(piece.namespaces)] != piece.namespaces:
            raise VariantConflict(
                "the wheels of the release order namespaces in two ways:"
                f" {list(piece.namespaces)} and {list(namespaces)}",
                hint="retag all of them with one --priority, or with one configuration",
            )
        for label, properties in piece.variants.items():
            if variants.setdefault(label, properties) != properties:
                raise VariantConflict(
                    f"label {label!r} means two things in this release: {variants[label]} and {properties}",
                    hint="choose different labels for the two variants",
                )
        for namespace, provider in piece.providers.items():
            if providers.setdefault(namespace, provider) != provider:
                raise VariantConflict(
                    f"namespace {namespace!r} has two providers in this release",
                    hint="retag the wheels with one [tool.variant-publish.providers] table",
                )
    if any(bool(piece.providers) != bool(providers) for piece in pieces):
        raise VariantConflict(
            "some wheels of the release list providers (PEP 850) and some do not (PEP 825)",
            hint="retag the older ones, so that all are alike",
        )
    return VariantsMetadata(namespaces, variants, providers)


def json_object(content: bytes | str, *, hint: str) -> dict[str, Any]:
    """Parse JSON that variant metadata of any schema is: an object; raise InvalidVariantMetadata with the hint."""
    try:
        data = msgspec.json.decode(content)
    except (ValueError, RecursionError) as error:
        raise InvalidVariantMetadata(f"variant metadata is not JSON ({error})", hint=hint) from error
    if not isinstance(data, dict):
        raise InvalidVariantMetadata("variant metadata is not a JSON object", hint=hint)
    return data


def _not_as_the_peps(reason: str) -> InvalidVariantMetadata:
    return InvalidVariantMetadata(f"variant metadata is not that of PEP 825 and 850 ({reason})", hint="write it again")
