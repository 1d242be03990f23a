"""Where labels stand: PEP 825 and its providers (PEP 850) as installers of today evaluate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, Provider, VariantsMetadata
from variant_publish.model.ordering import Incompatible, Ranked, rank
from variant_publish.model.variant import NULL_LABEL
from variant_publish.providers.machine import CUDA, NONE, SM_ARCH, Machine

_VENDORED = {"nvidia": "0.0.1", "x86_64": "0.2.1", "aarch64": "0.2.0"}
"""The providers whose answers `host` knows, in the versions that installers of today carry in themselves."""


class Labels:
    """Place wheels by PEP 825: labels in their order, then null, then plain wheels."""

    def __init__(self, metadata: VariantsMetadata | None, machine: Machine) -> None:
        self.metadata = metadata
        self.machine = machine
        self.supported: dict[str, Mapping[str, Sequence[str]]] = {}
        self.off: dict[str, str] = {}
        for namespace, provider in (metadata.providers if metadata else {}).items():
            found = provided(namespace, provider, machine)
            if isinstance(found, str):
                self.off[namespace] = found
            else:
                self.supported[namespace] = found

    def place(self, name: WheelName) -> tuple[Any, ...] | str:
        """Return the key of a wheel, the smallest being the best, or the reason why the machine cannot use it."""
        label = name.label
        if name.dialect is None:
            return (2,)
        if self.metadata is None:
            return "is a variant, and no selector file lists it"
        if label not in self.metadata.variants:
            return f"label {label!r} is not in the release's variants.json"
        if label == NULL_LABEL:
            return (1,)
        found = rank(label, self.metadata.variants[label], self.metadata.namespaces, self.supported)
        return (0, found.key) if isinstance(found, Ranked) else self._why(found)

    def _why(self, lost: Incompatible) -> str:
        needs = f"{lost.namespace} :: {lost.feature} needs {' or '.join(lost.values)}"
        if lost.namespace in self.off:
            return f"{self.off[lost.namespace]}, and {needs}"
        if self.metadata is not None and lost.namespace not in self.metadata.providers:
            return f"the release names no provider for {lost.namespace}, and {needs}"
        if self.metadata is not None and self.metadata.providers[lost.namespace].builtin is not None:
            return f"{lost.feature} is {self.machine.abi.get(lost.feature, 'not known')} here, and {needs}"
        if self.metadata is not None and self.metadata.providers[lost.namespace].static:
            return f"the provider of {lost.namespace} has no such value, and {needs}"
        return f"this machine has {_what_is_here(lost, self.machine)}, and {needs}"


def provided(namespace: str, provider: Provider, machine: Machine) -> Mapping[str, Sequence[str]] | str:
    """Return the supported features of a namespace as its provider has them, or why it is off on every machine.

    Static properties come from the file. Of plugins only those are known that installers of today carry in themselves:
    one requirement of that name, without marker or extra, that allows the version they carry, for its own namespace.
    """
    if namespace in machine.denied:
        return f"provider {namespace} is denied by your preferences"
    if provider.optional and namespace not in machine.allowed:
        return f"provider {namespace} is optional, so it is off"
    if provider.static:
        return dict(provider.static)
    if provider.builtin is not None:
        return {name: release_prefixes(version) for name, version in sorted(machine.abi.items())}
    if namespace in _VENDORED and _is_known(provider, KNOWN_PROVIDERS[namespace], _VENDORED[namespace]):
        return machine.supported.get(namespace, {})
    if namespace in machine.evaluated:
        return machine.evaluated[namespace]
    return f"provider {' '.join(provider.requires)} of {namespace} is one that installers do not have"


def release_prefixes(version: str) -> tuple[str, ...]:
    """Return the release prefixes of a version, longest first: 2.9.1, 2.9 and 2 (PEP 850, "abi_dependency")."""
    parts = version.split("+")[0].split(".")
    return tuple(".".join(parts[:count]) for count in range(min(len(parts), 3), 0, -1))


def _is_known(provider: Provider, known: Provider, version: str) -> bool:
    requirements = [Requirement(text) for text in provider.requires]
    module = known.requires[0].replace("-", "_")  # what plugin-api is by default (PEP 850)
    return (
        len(requirements) == 1
        and canonicalize_name(requirements[0].name) == known.requires[0]
        and not (requirements[0].marker or requirements[0].extras or requirements[0].url)
        and requirements[0].specifier.contains(version, prereleases=True)
        and (provider.plugin_api or module) == (known.plugin_api or module)
    )


def _what_is_here(lost: Incompatible, machine: Machine) -> str:
    values = machine.values
    if lost.namespace == "nvidia":
        if values.get(CUDA, NONE) == NONE:
            return "no NVIDIA driver"
        if lost.feature == SM_ARCH:
            return f"compute capability {values[SM_ARCH]}" if SM_ARCH in values else "no known compute capability"
        return f"CUDA {values[CUDA]}"
    value = values.get(f"{lost.namespace}_{lost.feature}", values.get(f"{lost.namespace}_version", NONE))
    return f"no {lost.namespace} CPU" if value == NONE else f"{value}"
