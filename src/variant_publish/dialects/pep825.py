"""Dialect pep825: a variant label at the end of the file name (PEP 825): `foo-1.0-cp312-cp312-win_amd64-cu128.whl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packaging.version import Version

from variant_publish.dialects.base import Dialect, InfoFiles, MachineFacts, ProviderOf, Rank, ReleaseFacts, Words
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.variants_json import (
    ABI_DEPENDENCY,
    SUFFIX,
    WHEEL_FILE,
    InvalidVariantMetadata,
    VariantsMetadata,
    merge,
)
from variant_publish.model.ordering import Incompatible, Ranked, rank
from variant_publish.model.plain_name import InvalidWheelName, PlainName, shortened
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.variant import NULL_LABEL, Properties, Variant, validate_label


class Pep825(Dialect):
    """One label, and `variant.json` in the wheel; the label "null" is the variant without properties."""

    name = "pep825"
    option = "--label"
    own_files = (WHEEL_FILE,)
    suffix = SUFFIX
    selector = VariantsMetadata

    def read(self, text: str) -> tuple[str, Words] | None:
        """Cut the label off; a third component that begins with a digit is the build tag, which no Python tag does."""
        parts = text.removesuffix(".whl").split("-")
        has_build = len(parts) > 2 and parts[2][:1].isdigit()
        if len(parts) != 6 + has_build:
            return None
        if "+" in parts[-2]:
            raise InvalidWheelName(
                f"{shortened(text)} has extra tags and a variant label",
                hint="take one of them off: a wheel belongs to one dialect",
            )
        return f"{'-'.join(parts[:-1])}.whl", (parts[-1],)

    def write(self, plain: PlainName, words: Words) -> str:
        """Return the name with the label at its end."""
        return f"{str(plain).removesuffix('.whl')}-{words[0]}.whl"

    def validate(self, words: Words) -> None:
        """Raise UsageError for a label that PEP 825 does not allow."""
        for label in words:
            validate_label(label)

    def words_of(self, variant: Variant) -> Words:
        """Return the label."""
        return (variant.label,)

    def info_files(self, variant: Variant, namespaces: Sequence[str], provider_of: ProviderOf) -> InfoFiles:
        """Return variant.json with this label alone, and the providers that installers ask for it."""
        if not variant.properties and variant.label != NULL_LABEL:
            raise UsageError(
                f"label {variant.label!r} has no properties, so no installer could choose it",
                hint='say what it needs, for example --property "x86_64 :: level :: v3"',
            )
        providers = {name: provider_of(name) for name in namespaces}
        try:
            metadata = VariantsMetadata(tuple(namespaces), {variant.label: variant.properties}, providers)
        except InvalidVariantMetadata as error:
            raise UsageError(error.message, hint=error.hint) from error
        return {WHEEL_FILE: metadata.dumps().encode()}

    def serves_everyone(self, words: Words) -> bool:
        """Return whether it is the null variant."""
        return words == (NULL_LABEL,)

    def file_name(self, project: str, version: str) -> str:
        """Return the name with the project as wheel file names spell it."""
        return f"{canonicalize_name(project).replace('-', '_')}-{Version(version)}{self.suffix}"

    def parse(self, content: bytes | str) -> VariantsMetadata:
        """Parse NAME-VERSION-variants.json."""
        return VariantsMetadata.parse(content)

    def merge(self, parts: Sequence[VariantsMetadata]) -> VariantsMetadata:
        """Unite what the wheels of a release say (PEP 825, "Index metadata")."""
        return merge(parts)

    def gather(self, release: ReleaseFacts) -> VariantsMetadata:
        """Return the union of what the wheels carry."""
        for wheel in release.wheels:
            if WHEEL_FILE not in wheel.info:
                raise VariantPublishError(
                    f"{wheel.place} has a variant label and no {WHEEL_FILE} in its dist-info folder",
                    hint="label it with 'variant-publish retag', which writes both",
                )
        return merge([VariantsMetadata.parse(wheel.info[WHEEL_FILE]) for wheel in release.wheels])

    def meanings(self, data: VariantsMetadata) -> Mapping[str, Properties]:
        """Return the properties of each label."""
        return data.variants

    def fault(self, data: VariantsMetadata, words: Words) -> str:
        """Return whether the label is missing."""
        return "" if words[0] in data.variants else f"it does not name the label {words[0]!r}"

    def rank(self, data: VariantsMetadata | None, machine: MachineFacts, asked: Sequence[str] = ()) -> Rank:
        """Return the rank of PEP 825: labels in their order, then null, then plain wheels."""
        if data is None:
            return super().rank(data, machine, asked)
        return _Labels(data, machine).place

    def dependencies(self, data: VariantsMetadata | None, words: Words) -> Mapping[str, Sequence[str]]:
        """Return the properties of `abi_dependency`."""
        if data is None:
            return {}
        properties = data.variants.get("".join(words), Properties()).grouped
        return {key: values for space in _abi_namespaces(data) for key, values in properties.get(space, {}).items()}

    def asks_hardware(self, data: VariantsMetadata | None, words: Words) -> bool:
        """Return whether the label has a property of another namespace than `abi_dependency`."""
        if data is None or words[0] not in data.variants:
            return not self.serves_everyone(words)
        return not set(data.variants[words[0]].namespaces) <= _abi_namespaces(data)


PEP825 = Pep825()


class _Labels:
    """The labels of a release on one machine, by PEP 825 and its providers (PEP 850)."""

    def __init__(self, data: VariantsMetadata, machine: MachineFacts) -> None:
        self.data, self.machine = data, machine
        self.supported: dict[str, Mapping[str, Sequence[str]]] = {}
        self.off: dict[str, str] = {}
        for namespace, provider in data.providers.items():
            found = machine.features(namespace, provider)
            if isinstance(found, str):
                self.off[namespace] = found
            else:
                self.supported[namespace] = found

    def place(self, words: Words) -> tuple[Any, ...] | str:
        label = "".join(words)
        if not words:
            return (2, "")
        if label not in self.data.variants:
            return f"label {label!r} is not in the release's variants.json"
        if label == NULL_LABEL:
            return (1, label)
        found = rank(label, self.data.variants[label], self.data.namespaces, self.supported)
        return (0, *found.key) if isinstance(found, Ranked) else self._why(found)

    def _why(self, lost: Incompatible) -> str:
        needs = f"it needs {self.machine.asked(lost.namespace, lost.feature, lost.values)}"
        if lost.namespace in self.off:
            return f"{needs}; {self.off[lost.namespace]}"
        if lost.namespace not in self.data.providers:
            return f"{needs}; the release names no provider for {lost.namespace}"
        provider = self.data.providers[lost.namespace]
        if provider.builtin is not None:
            return f"{needs}; here it is {self.machine.abi.get(lost.feature, 'not known')}"
        if provider.static_properties:
            return f"{needs}; the provider of {lost.namespace} has no such value"
        return f"{needs}; this machine has {self.machine.here(lost.namespace, lost.feature)}"


def _abi_namespaces(data: VariantsMetadata) -> set[str]:
    return {namespace for namespace, provider in data.providers.items() if provider.builtin == ABI_DEPENDENCY}
