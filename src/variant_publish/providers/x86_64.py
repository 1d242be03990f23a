"""x86-64: the level of the psABI that a CPU has."""

from __future__ import annotations

import re
from typing import ClassVar

from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Features, Values, Variable
from variant_publish.providers.cpu import Cpu, lineage
from variant_publish.providers.platforms import X86_64

LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
"""The levels, lowest first: the values of the selector variable `x86_64_version`."""

VERSION = "x86_64_version"
LEVEL = "level"

_WORD = r"(?:x86[-_]64[-_])?v([1-4])"


def parse_level(text: str) -> str | None:
    """Parse "x86-64-v2", "x86_64_v2" or "v2" as a level; None for anything else."""
    if match := re.fullmatch(_WORD, text.lower()):
        return LEVELS[int(match[1]) - 1]
    level = text.lower().replace("_", "-")
    return level if level in (*LEVELS, NONE) else None


class X86(Cpu):
    """The CPU level: `x86_64 :: level`."""

    namespace = X86_64
    title = "x86_64 CPU"
    features = (LEVEL,)
    metadata = Provider(requires=("x86-64-variant-provider",))
    vendored = "0.2.1"
    systems = ("x86_64", "amd64")
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(
            VERSION,
            (LEVEL,),
            parse_level,
            lambda: LEVELS,
            ", ".join(LEVELS),
            order=LEVELS.index,
            lowest=LEVELS[0],
            is_always_told=True,
        ),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the level of `x86_64_v3` or `v3`."""
        match = re.fullmatch(_WORD, word)
        return (self.property(LEVEL, f"v{match[1]}"),) if match else ()

    def here_is(self) -> str:
        """Return the highest level of this CPU; the lowest where it cannot be found out."""
        found = set(lineage())
        best = [level for level in LEVELS[1:] if level.replace("-", "_") in found]
        return best[-1] if best else LEVELS[0]

    def supported(self, values: Values) -> Features:
        """Return the level and the lower ones, best first: v3, v2, v1."""
        level = values.get(VERSION, NONE)
        return {} if level == NONE else {LEVEL: tuple(f"v{n}" for n in range(LEVELS.index(level) + 1, 0, -1))}

    def compiler_flags(self, item: Property) -> str:
        """Return the level as -march has it."""
        return f"-march=x86-64-{item.value}"

    def sentence(self, feature: str, value: str) -> str:
        """Return the level as people write it."""
        return f"a CPU of level x86-64-{value}"
