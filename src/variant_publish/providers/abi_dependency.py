"""The ABI of a dependency: a wheel that was built against torch 2.9 needs torch 2.9 (PEP 850, "abi_dependency").

It is no hardware: the values come from what is, or will be, installed beside the wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from variant_publish.formats.variants_json import ABI_DEPENDENCY, Provider
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.variant import Properties, Property
from variant_publish.model.versions import release_prefixes
from variant_publish.providers.base import NONE, Features, Values, Variable, VariantProvider

PREFIX = "abi_"
"""What the variable of a dependency begins with: `abi_torch`."""

KNOWN = ("torch", "numpy", "tensorflow", "jaxlib", "pyarrow", "libtorch", "cupy", "paddlepaddle", "mxnet", "onnx")
"""The dependencies whose names are words, like `torch2.9`."""

_WORD = rf"({'|'.join(KNOWN)})_?([0-9]{{1,4}}[._][0-9]{{1,4}}(?:[._][0-9]{{1,4}})?)"
_RELEASE = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}"


def parse_release(text: str) -> str | None:
    """Return the first three parts of a release, or "none"; None for anything else."""
    return NONE if text == NONE else ".".join(text.split(".")[:3]) if re.fullmatch(_RELEASE, text) else None


def releases_in(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values that are releases, of what may be a dependency."""
    return {name: value for name, value in values.items() if parse_release(value) not in (None, NONE)}


def releases_of(values: Values) -> dict[str, str]:
    """Return the releases of the dependencies that variables tell: `torch` of `abi_torch`."""
    return {name[len(PREFIX) :]: value for name, value in values.items() if name.startswith(PREFIX) and value != NONE}


def abi_requirements(properties: Properties) -> tuple[str, ...]:
    """Return what a build for these properties must be built against, and requires: `torch==2.9.*`.

    Of several releases of one dependency no requirement follows: they are a union.
    """
    found = properties.grouped.get(ABI_DEPENDENCY, {})
    return tuple(f"{canonicalize_name(name)}=={values[0]}.*" for name, values in found.items() if len(values) == 1)


def abi_choices(properties: Properties) -> tuple[str, ...]:
    """Return every release that a build admits, each as a requirement: those of one dependency are a union."""
    found = properties.grouped.get(ABI_DEPENDENCY, {})
    return tuple(f"{canonicalize_name(name)}=={value}.*" for name, values in found.items() for value in values)


class AbiDependency(VariantProvider):
    """The release of a dependency, as a prefix of one to three parts: `abi_dependency :: torch :: 2.9`."""

    namespace = ABI_DEPENDENCY
    title = "version of the dependency"
    features = ()
    metadata = Provider(builtin=ABI_DEPENDENCY)
    is_resolved = True
    systems: ClassVar[tuple[str, ...]] = ("",)

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the dependency of `torch2.9` or `torch2_9`."""
        match = re.fullmatch(_WORD, word)
        return (self.property(match[1], match[2].replace("_", ".")),) if match else ()

    def variables_of(self, items: Iterable[Property]) -> tuple[Variable, ...]:
        """Return a variable for each dependency: `abi_torch`, with the releases that the properties name."""
        found: dict[str, list[str]] = {}
        for item in items:
            found.setdefault(item.feature, []).append(item.value)
        return tuple(_variable(name, values) for name, values in sorted(found.items()))

    def supported(self, values: Values) -> Features:
        """Return the prefixes of each dependency's release, longest first: 2.9.1, 2.9, 2."""
        return {name: release_prefixes(value) for name, value in releases_of(values).items()}

    def told_apart(self, variable: Variable, wanted: Iterable[str]) -> Sequence[str]:
        """Return every release that is asked for: a resolver installs one of them, whatever is there now."""
        return tuple(sorted(set(wanted), key=_key))

    def sentence(self, feature: str, value: str) -> str:
        """Return what must be installed beside it."""
        return f"{feature} {value}"

    def here(self, feature: str, values: Values) -> str:
        """Return the release of the dependency, where it is known."""
        value = values.get(f"{PREFIX}{feature}", NONE)
        return f"no {feature}" if value == NONE else f"{feature} {value}"


def _variable(name: str, wanted: Iterable[str]) -> Variable:
    values = tuple(sorted(set(wanted), key=_key))
    hint = f"none, or a release of {name}, for example {values[0]}"
    return Variable(f"{PREFIX}{name}", (name,), parse_release, lambda: values, hint, order=_key)


def _key(value: str) -> tuple[int, ...]:
    return tuple(map(int, value.split("."))) if re.fullmatch(_RELEASE, value) else ()
