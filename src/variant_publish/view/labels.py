"""Where labels stand: PEP 825 and its providers (PEP 850) as installers of today evaluate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.ordering import Incompatible, Ranked, rank
from variant_publish.model.variant import NULL_LABEL
from variant_publish.providers import catalog
from variant_publish.providers.machine import Machine


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
        own = catalog.find(lost.namespace)
        here = own.here(lost.feature, self.machine.values) if own else "no such value"
        return f"this machine has {here}, and {needs}"


def provided(namespace: str, provider: Provider, machine: Machine) -> Mapping[str, Sequence[str]] | str:
    """Return the supported features of a namespace as its provider has them, or why it is off on every machine.

    Static properties come from the file. Of plugins only those are known that have a provider here, as the file must
    list it: one requirement of that name, without marker or extra, that allows the version that installers carry.
    """
    if namespace in machine.denied:
        return f"provider {namespace} is denied by your preferences"
    if provider.optional and namespace not in machine.allowed:
        return f"provider {namespace} is optional, so it is off"
    if provider.static:
        return dict(provider.static)
    own = catalog.find(namespace)
    if own is not None and not own.objection_to(provider):
        return machine.supported.get(namespace, {})
    if namespace in machine.evaluated:
        return machine.evaluated[namespace]
    name = " ".join(provider.requires) or provider.builtin
    return f"provider {name} of {namespace} is one that installers do not have"
