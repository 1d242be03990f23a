"""The AMD GPU as the Linux kernel and ROCm show it: architecture and ROCm version, read from files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NODES = Path("/sys/class/kfd/kfd/topology/nodes")
ROCM = Path("/opt/rocm/.info/version")

_TARGET = re.compile(r"^gfx_target_version ([0-9]+)$", re.MULTILINE)
_VERSION = re.compile(r"([0-9]+\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Amd:
    """The highest GPU architecture ("gfx942") and the ROCm version ("6.4"); None for what is not there."""

    architecture: str | None = None
    rocm: str | None = None

    @classmethod
    def detect(cls, nodes: Path = NODES, rocm: Path = ROCM) -> Self:
        """Read the kernel's topology; nothing raises: what cannot be read is not there."""
        targets = list(_targets(nodes))
        return cls(_gfx(max(targets)) if targets else None, _rocm(rocm) if targets else None)

    def features(self) -> dict[str, tuple[str, ...]]:
        """Return the supported values of the features of the namespace `amd`."""
        found = {"gfx_arch": self.architecture, "rocm_version": self.rocm}
        return {feature: (value,) for feature, value in found.items() if value is not None}


def _targets(nodes: Path) -> Iterator[int]:
    for file in sorted(nodes.glob("*/properties")):
        try:
            match = _TARGET.search(file.read_text("utf-8"))
        except OSError:
            continue
        if match and int(match[1]):  # a CPU is a node too, with target 0
            yield int(match[1])


def _gfx(target: int) -> str:
    # 90402 is 9.4.2; the last two parts are hexadecimal digits in the name.
    return f"gfx{target // 10000}{target // 100 % 100:x}{target % 100:x}"


def _rocm(file: Path) -> str | None:
    try:
        match = _VERSION.match(file.read_text("utf-8").strip())
    except OSError:
        return None
    return match[1] if match else None
