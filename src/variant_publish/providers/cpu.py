"""The lineage of this machine's CPU, as archspec knows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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
