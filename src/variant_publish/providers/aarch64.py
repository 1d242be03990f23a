"""aarch64: the version of the Arm architecture that a CPU has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import ClassVar

from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Features, Values, Variable
from variant_publish.providers.cpu import Cpu, archspec, lineage
from variant_publish.providers.platforms import AARCH64

VERSION = "aarch64_version"
BASELINE = "8a"
"""What every aarch64 machine has."""

_ARM = r"(?:armv)?([0-9]{1,3}(?:\.[0-9]{1,3})?)a?"
_WORD = r"armv([0-9]+(?:[._][0-9]+)?)a"


def known_versions() -> tuple[str, ...]:
    """Return every version of the Arm architecture that archspec knows, lowest first."""
    return tuple(sorted(_chain(), key=_key))


def parse_version(text: str) -> str | None:
    """Parse "8.2a", "8.2" or "armv8.2a" as a version that archspec knows; None for anything else."""
    match = re.fullmatch(_ARM, text.lower())
    if match is None:
        return NONE if text == NONE else None
    wanted = _key(match[1])
    return next((known for known in _chain() if (*_key(known), 0)[:2] == (*wanted, 0)[:2]), None)


class Arm(Cpu):
    """The version of the architecture: `aarch64 :: version`."""

    namespace = AARCH64
    title = "aarch64 CPU"
    features = ("version",)
    metadata = Provider(requires=("aarch64-variant-provider",))
    vendored = "0.2.0"
    systems = ("aarch64", "arm64")
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(
            VERSION,
            ("version",),
            parse_version,
            known_versions,
            "8a, 8.2a, 9.0a and others",
            order=lambda value: known_versions().index(value),
            lowest=BASELINE,
            is_always_told=True,
        ),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the version of `armv8.2a` or `armv8_2a`."""
        match = re.fullmatch(_WORD, word)
        version = parse_version(match[1].replace("_", ".")) if match else None
        return (self.property("version", version),) if version else ()

    def here_is(self) -> str:
        """Return the version of this CPU ("8.2a"); the lowest where it cannot be found out."""
        found = [match[1] + "a" for name in lineage() if (match := re.fullmatch(r"armv([0-9.]+)a", name))]
        return max(found, key=_key, default=BASELINE)

    def supported(self, values: Values) -> Features:
        """Return the version and those that it includes, best first: 8.2a, 8.1a, 8a."""
        version = values.get(VERSION, NONE)
        return {} if version == NONE else {"version": _chain().get(version, (version,))}

    def machines(self, items: Iterable[Property], platform: str) -> Sequence[Values]:
        """Return a machine of each version where some property asks for one."""
        return super().machines(items, platform) if any(True for _ in items) else [{}]

    def compiler_flags(self, item: Property) -> str:
        """Return the version as -march has it."""
        return f"-march=armv{item.value.replace('a', '-a')}"

    def sentence(self, feature: str, value: str) -> str:
        """Return the version as people write it."""
        return f"a CPU of ARMv{value}"


@cache
def _chain() -> dict[str, tuple[str, ...]]:
    chains = {}
    for name, target in archspec().TARGETS.items():
        if name == AARCH64 or re.fullmatch(r"armv[0-9.]+a", name):
            names = (name, *(ancestor.name for ancestor in target.ancestors))
            versions = [BASELINE if item == AARCH64 else item.removeprefix("armv") for item in names]
            chains[versions[0]] = tuple(sorted(versions, key=_key, reverse=True))
    return chains


def _key(version: str) -> list[int]:
    return [int(part) for part in version.removesuffix("a").split(".")]
