"""The CPU as archspec knows it: the x86-64 level and the version of the Arm architecture."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from typing import Any

X86_64 = "x86_64"
AARCH64 = "aarch64"

X86_64_LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
"""The levels of the x86-64 psABI, lowest first: the values of the selector variable `x86_64_version`."""

AARCH64_BASELINE = "8a"
"""What every aarch64 machine has."""

_ALIASES = {"amd64": X86_64, "x64": X86_64, "arm64": AARCH64}
_ARM = re.compile(r"(?:armv)?([0-9]+(?:\.[0-9]+)?)a?")


def architecture(name: str | None = None) -> str:
    """Return the architecture in one spelling ("x86_64", "aarch64", ...): of a name, by default of this machine."""
    lower = (platform.machine() if name is None else name).lower()
    return _ALIASES.get(lower, lower)


def x86_64_level() -> str:
    """Return the highest x86-64 level of this CPU; the lowest where it cannot be told."""
    found = set(_lineage())
    best = [level for level in X86_64_LEVELS[1:] if level.replace("x86-64", "x86_64").replace("-", "_") in found]
    return best[-1] if best else X86_64_LEVELS[0]


def aarch64_version() -> str:
    """Return the version of the Arm architecture of this CPU ("8.2a"); the lowest where it cannot be told."""
    found = [match[1] + "a" for name in _lineage() if (match := re.fullmatch(r"armv([0-9.]+)a", name))]
    return max(found, key=_arm_key, default=AARCH64_BASELINE)


def x86_64_values(level: str) -> tuple[str, ...]:
    """Return the values of `x86_64 :: level` that a CPU of this level supports, best first: v3, v2, v1."""
    return tuple(f"v{number}" for number in range(X86_64_LEVELS.index(level) + 1, 0, -1))


def aarch64_values(version: str) -> tuple[str, ...]:
    """Return the values of `aarch64 :: version` that a CPU of this version supports, best first: 8.2a, 8.1a, 8a."""
    return _arm_chain().get(version, (version,))


def known_aarch64_versions() -> tuple[str, ...]:
    """Return every version of the Arm architecture that archspec knows, lowest first."""
    return tuple(sorted(_arm_chain(), key=_arm_key))


def parse_x86_64_level(text: str) -> str | None:
    """Read "x86-64-v2", "x86_64_v2" or "v2" as a level; None for anything else."""
    level = text.lower().replace("_", "-")
    if match := re.fullmatch(r"v([1-4])", level):
        return X86_64_LEVELS[int(match[1]) - 1]
    level = X86_64_LEVELS[0] if level == "x86-64-v1" else level
    return level if level in X86_64_LEVELS else None


def parse_aarch64_version(text: str) -> str | None:
    """Read "8.2a", "8.2" or "armv8.2a" as a version that archspec knows; None for anything else."""
    match = _ARM.fullmatch(text.lower())
    if match is None:
        return None
    wanted = _arm_key(match[1])
    return next((known for known in _arm_chain() if (*_arm_key(known), 0)[:2] == (*wanted, 0)[:2]), None)


def _lineage() -> Sequence[str]:
    try:
        host = _archspec().host()
    except Exception:  # archspec reads what the system offers; a CPU that it cannot read is one without extras
        return ()
    return [host.name, *(ancestor.name for ancestor in host.ancestors)]


def _arm_chain() -> dict[str, tuple[str, ...]]:
    chains = {}
    for name, target in _archspec().TARGETS.items():
        if name == AARCH64 or re.fullmatch(r"armv[0-9.]+a", name):
            names = (name, *(ancestor.name for ancestor in target.ancestors))
            versions = [_arm_version(item) for item in names]
            chains[versions[0]] = tuple(sorted(versions, key=_arm_key, reverse=True))
    return chains


def _arm_version(name: str) -> str:
    return AARCH64_BASELINE if name == AARCH64 else name.removeprefix("armv")


def _arm_key(version: str) -> list[int]:
    return [int(part) for part in version.removesuffix("a").split(".")]


def _archspec() -> Any:
    import archspec.cpu  # type: ignore[import-untyped]

    return archspec.cpu
