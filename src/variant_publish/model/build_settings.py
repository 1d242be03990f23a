"""Build settings: what a build is asked for, so that it makes a certain variant, in the terms of every frontend."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from variant_publish.errors import UsageError

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
