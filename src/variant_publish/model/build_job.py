"""Build jobs: what CI needs to know to build the wheel of one cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from variant_publish.model.matrix import Cell
from variant_publish.model.tags import modern_platform

_CPYTHON = re.compile(r"cp3([0-9]+)-(cp3[0-9]+(t?)|abi3)")
_LIBC = re.compile(r"(manylinux|musllinux)_[0-9]+_[0-9]+_(.+)")
_MACOS = re.compile(r"macosx_([0-9]+_[0-9]+)_(.+)")

_RUNNERS = {
    ("linux", "x86_64"): "ubuntu-latest",
    ("linux", "i686"): "ubuntu-latest",
    ("linux", "aarch64"): "ubuntu-24.04-arm",
    ("linux", "armv7l"): "ubuntu-24.04-arm",
    ("macos", "arm64"): "macos-latest",
    ("macos", "universal2"): "macos-latest",
    ("macos", "x86_64"): "macos-15-intel",
    ("windows", "amd64"): "windows-latest",
    ("windows", "win32"): "windows-latest",
    ("windows", "arm64"): "windows-11-arm",
}
"""The runner of GitHub for a system and an architecture; others are built under emulation on the first one."""


@dataclass(frozen=True, slots=True)
class BuildJob:
    """Hold one job: its cell, and how runners and cibuildwheel call it.

    `cibuildwheel` is a build selector such as "cp312-manylinux_x86_64", "" where cibuildwheel has none;
    `image` the manylinux or musllinux image, `deployment_target` the minimum macOS version, "" elsewhere.
    `settings` are further axes of the configuration, such as a compiler, by name; one with the name of an entry, such
    as "runs-on", takes its place.
    """

    cell: Cell
    runner: str
    python_version: str
    cibuildwheel: str
    image: str = ""
    deployment_target: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cell: Cell, settings: Mapping[str, str] | None = None) -> Self:
        """Work out the job of a cell; `settings` are the further axes that move with it, such as a compiler."""
        platform = modern_platform(cell.platform)
        image = deployment = ""
        if libc := _LIBC.fullmatch(platform):
            system, architecture, suffix = "linux", libc[2], f"{libc[1]}_{libc[2]}"
            image = platform.removesuffix(f"_{libc[2]}")
        elif macos := _MACOS.fullmatch(platform):
            system, architecture, suffix = "macos", macos[2], f"macosx_{macos[2]}"
            deployment = macos[1].replace("_", ".")
        elif platform.startswith("win"):
            system, architecture, suffix = "windows", platform.removeprefix("win_"), platform
        else:
            system, architecture, suffix = "linux", "x86_64", ""
        python = _CPYTHON.fullmatch(cell.python)
        return cls(
            cell=cell,
            runner=_RUNNERS.get((system, architecture), "ubuntu-latest"),
            python_version=f"3.{python[1]}{python[3] or ''}" if python else "3.x",
            cibuildwheel=f"cp3{python[1]}{python[3] or ''}-{suffix}" if python and suffix else "",
            image=image,
            deployment_target=deployment,
            settings=settings or {},
        )

    def table(self) -> dict[str, str]:
        """Give the entry of a CI matrix: flat, all strings."""
        usual = {
            "python": self.cell.python,
            "platform": self.cell.platform,
            "variant": self.cell.variant,
            "runs-on": self.runner,
            "python-version": self.python_version,
            "cibuildwheel": self.cibuildwheel,
            "image": self.image,
            "macosx-deployment-target": self.deployment_target,
        }
        return usual | {axis: value for axis, value in self.settings.items() if value or axis not in usual}
