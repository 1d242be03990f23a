"""Build jobs: what CI needs to know to build the wheel of one cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.matrix import Cell
from variant_publish.model.tags import modern_platform

_CPYTHON = re.compile(r"cp3([0-9]+)-(cp3[0-9]+(t?)|abi3)")
_LIBC = re.compile(r"(manylinux|musllinux)_[0-9]+_[0-9]+_(.+)")
_VERSION = re.compile(r"^[0-9]+_[0-9]+_")
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

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SPECIAL = r'[\\"$`]'
_ESCAPED = r"\\\g<0>"


class BuildSettings(msgspec.Struct, frozen=True):
    """The configuration settings of PEP 517, environment variables and constraints (`torch==2.9.*`) of one build.

    A setting with several values is handed to the backend as a list. Values are taken as they are: nothing in them is
    expanded. Raises UsageError for a name that no shell or frontend could pass on.
    """

    config_settings: Mapping[str, tuple[str, ...]] = {}
    env: Mapping[str, str] = {}
    constraints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.env:
            if not re.fullmatch(_NAME, name):
                raise UsageError(f"{name!r} is not a name of an environment variable", hint="write it like CFLAGS")
        for name in self.config_settings:
            if not name or "=" in name:
                raise UsageError(
                    f"{name!r} is not a name of a configuration setting", hint='write it like "cmake.define.FAST"'
                )
        if any("\0" in value for value in (*self.env.values(), *(text for _, text in self.pairs))):
            raise UsageError("a build setting holds a NUL character", hint="take it out")

    def __bool__(self) -> bool:
        return bool(self.config_settings or self.env or self.constraints)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return every configuration setting with each of its values, in order."""
        return tuple((name, value) for name, values in self.config_settings.items() for value in values)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the configuration settings as `-CKEY=VALUE`, which build, uv and pip take."""
        return tuple(f"-C{name}={value}" for name, value in self.pairs)

    @property
    def cibuildwheel_settings(self) -> str:
        """Return the configuration settings as cibuildwheel's `config-settings` has them, quoted as a shell would."""
        import shlex

        return shlex.join(f"{name}={value}" for name, value in self.pairs)

    @property
    def cibuildwheel_environment(self) -> str:
        """Return the variables as cibuildwheel's `environment` has them: assignments that expand to these values.

        Its reader of shell words does not understand quotes within quotes, which `shlex.quote` writes.
        """
        return " ".join(f'{name}="{re.sub(_SPECIAL, _ESCAPED, value)}"' for name, value in self.env.items())

    def __str__(self) -> str:
        """Return both as a shell would take them: assignments, then arguments."""
        import shlex

        assignments = (f"{name}={shlex.quote(value)}" for name, value in self.env.items())
        return " ".join((*assignments, *map(shlex.quote, self.arguments), *self.constraints))


class BuildJob(msgspec.Struct, frozen=True):
    """One job: its cell, and how runners and cibuildwheel call it.

    `cibuildwheel` is a build selector such as "cp312-manylinux_x86_64", "" where cibuildwheel has none;
    `image` the manylinux or musllinux image, `deployment_target` the minimum macOS version, "" elsewhere; `settings` is
    what the configuration says of building the variant. `axes`
    are further axes of the matrix, such as a compiler, by name; one with the name of an entry, such as "runs-on", takes
    its place.
    """

    cell: Cell
    runner: str
    python_version: str
    cibuildwheel: str
    image: str = ""
    deployment_target: str = ""
    settings: BuildSettings = BuildSettings()
    axes: Mapping[str, str] = {}

    @classmethod
    def of(cls, cell: Cell, settings: BuildSettings | None = None, axes: Mapping[str, str] | None = None) -> Self:
        """Work out the job of a cell, which is built with these settings; `axes` are what moves with the cell."""
        platform = modern_platform(cell.platform)
        system, architecture = machine_of(platform)
        image = deployment = suffix = ""
        if libc := _LIBC.fullmatch(platform):
            suffix = f"{libc[1]}_{libc[2]}"
            image = platform.removesuffix(f"_{libc[2]}")
        elif macos := _MACOS.fullmatch(platform):
            suffix = f"macosx_{macos[2]}"
            deployment = macos[1].replace("_", ".")
        elif system == "windows":
            suffix = platform
        python = _CPYTHON.fullmatch(cell.python)
        return cls(
            cell=cell,
            runner=_RUNNERS.get((system, architecture), "ubuntu-latest"),
            python_version=f"3.{python[1]}{python[3] or ''}" if python else "3.x",
            cibuildwheel=f"cp3{python[1]}{python[3] or ''}-{suffix}" if python and suffix else "",
            image=image,
            deployment_target=deployment,
            settings=settings or BuildSettings(),
            axes=axes or {},
        )

    def table(self) -> dict[str, Any]:
        """Return the entry of a CI matrix: strings, but `env`, which is an object.

        The settings are there as a shell takes them (`config-settings`: -CKEY=VALUE) and as cibuildwheel does;
        `constraints` are the requirements that the build installs, for a constraints file of pip.
        """
        import shlex

        usual: dict[str, Any] = {
            "python": self.cell.python,
            "platform": self.cell.platform,
            "variant": self.cell.variant,
            "runs-on": self.runner,
            "python-version": self.python_version,
            "cibuildwheel": self.cibuildwheel,
            "image": self.image,
            "macosx-deployment-target": self.deployment_target,
            "config-settings": shlex.join(self.settings.arguments),
            "env": dict(self.settings.env),
            "cibw-config-settings": self.settings.cibuildwheel_settings,
            "cibw-environment": self.settings.cibuildwheel_environment,
            "constraints": " ".join(self.settings.constraints),
        }
        return usual | {axis: value for axis, value in self.axes.items() if value or axis not in usual}


def machine_of(platform: str) -> tuple[str, str]:
    """Return system and architecture of a platform tag, like ("macos", "arm64"); ("linux", "x86_64") for `any`."""
    system, _, rest = modern_platform(platform).partition("_")
    if system in ("win", "win32"):
        return "windows", rest or system
    if system == "macosx":
        return "macos", _VERSION.sub("", rest)
    if system in ("manylinux", "musllinux", "linux"):
        return "linux", _VERSION.sub("", rest)
    return "linux", "x86_64"
