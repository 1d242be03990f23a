"""CPUs: the lineage of this machine's, as archspec knows it, and what the levels of every architecture share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Values, VariantProvider
from variant_publish.providers.platforms import architecture, platform_architecture


def lineage() -> Sequence[str]:
    """Return the names of the microarchitecture and of its ancestors; empty where they cannot be read."""
    try:
        host = archspec().host()
    except Exception:  # archspec reads what the system offers; a CPU that it cannot read is one without extras
        return ()
    return [host.name, *(ancestor.name for ancestor in host.ancestors)]


def archspec() -> Any:
    """Return archspec's module on CPUs."""
    import archspec.cpu  # type: ignore[import-untyped]

    return archspec.cpu


class Cpu(VariantProvider):
    """The level of the CPUs of one architecture, which is the namespace: one variable, whose values have an order."""

    def here_is(self) -> str:
        """Return the level of this machine's CPU, which is one of the architecture."""
        raise NotImplementedError

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Return the level of this CPU."""
        return {self.variables[0].name: self.here_is() if architecture() == self.namespace else NONE}

    def assumed(self, platform: str) -> Values:
        """Return the lowest level on another architecture's machine; the system does not matter."""
        there, [level] = platform_architecture(platform), self.variables
        return {} if there == architecture() else {level.name: level.lowest if there == self.namespace else NONE}

    def machines(self, items: Iterable[Property], platform: str) -> Sequence[Values]:
        """Return a machine of each level on every platform of the architecture."""
        if platform_architecture(platform) != self.namespace:
            return [{}]
        return [{self.variables[0].name: value} for value in self.variables[0].known()]
