"""What a user prefers, whatever the machine has: one file, `preferences.toml`, in the user's configuration folder."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from variant_publish.errors import UsageError
from variant_publish.providers import cpu
from variant_publish.providers.machine import (
    AARCH64_VERSION,
    CUDA,
    GFX_ARCH,
    NONE,
    ORDERS,
    ROCM,
    SM_ARCH,
    X86_64_VERSION,
    Machine,
    parse_setting,
)  # fmt: skip

_HINT = 'it may hold [limits] x86_64_version = "x86-64-v3" and [providers] allow = [...], deny = [...]'

_WITHOUT: Mapping[str, Mapping[str, str | None]] = {
    "nvidia": {CUDA: NONE, SM_ARCH: None},
    "x86_64": {X86_64_VERSION: cpu.X86_64_LEVELS[0]},
    "aarch64": {AARCH64_VERSION: cpu.AARCH64_BASELINE},
    "amd": {GFX_ARCH: None, ROCM: None},
}
"""What the variables of a denied namespace become: the lowest, or not there."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The limits of variables ("never AVX-512" is x86_64_version at most x86-64-v3) and providers on and off."""

    limits: Mapping[str, str] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> Self:
        """Read the user's file; without one there are no preferences."""
        path = preferences_file(environ)
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        try:
            return cls.parse(text)
        except UsageError as error:
            raise UsageError(f"{path}: {error.message}", hint=error.hint) from error

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the file; raise UsageError for what it cannot say."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"the preferences are not TOML ({error})", hint=_HINT) from error
        limits, providers = data.pop("limits", {}), data.pop("providers", {})
        if (
            data
            or not isinstance(limits, dict)
            or not isinstance(providers, dict)
            or set(providers) - {"allow", "deny"}
        ):
            raise UsageError("the preferences hold something that is not known", hint=_HINT)
        if unknown := sorted(set(limits) - set(ORDERS)):
            raise UsageError(f"{unknown[0]} cannot be limited", hint=f"known variables: {', '.join(ORDERS)}")
        if not all(isinstance(item, str) for names in providers.values() for item in names):
            raise UsageError("providers.allow and providers.deny are lists of namespaces", hint=_HINT)
        return cls(
            {name: parse_setting(name, str(value)) for name, value in limits.items()},
            frozenset(providers.get("allow", ())),
            frozenset(providers.get("deny", ())),
        )

    def applied(self, machine: Machine) -> Machine:
        """Return the machine as far as the user wants it used."""
        values: dict[str, str | None] = {**machine.values}
        for name, limit in self.limits.items():
            if (value := machine.values.get(name, NONE)) != NONE:
                values[name] = limit if limit == NONE else min(value, limit, key=ORDERS[name])
        for namespace in self.deny:
            kept = {name: value for name, value in _WITHOUT.get(namespace, {}).items() if _has(machine, name)}
            values.update(kept)
        return replace(
            machine,
            values={name: value for name, value in values.items() if value is not None},
            allowed=self.allow,
            denied=self.deny,
        )


def preferences_file(environ: Mapping[str, str]) -> Path:
    """Return the place of the file: XDG_CONFIG_HOME, else where the system keeps such things."""
    if environ.get("XDG_CONFIG_HOME"):
        folder = Path(environ["XDG_CONFIG_HOME"])
    elif sys.platform == "win32" and environ.get("APPDATA"):
        folder = Path(environ["APPDATA"])
    else:
        folder = Path.home() / ".config"
    return folder / "variant-publish" / "preferences.toml"


def _has(machine: Machine, name: str) -> bool:
    return machine.values.get(name, NONE) != NONE
