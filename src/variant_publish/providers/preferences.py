"""What a user prefers, whatever the machine has: one file, `preferences.toml`, in the user's configuration folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from variant_publish.errors import UsageError, naming
from variant_publish.formats import toml
from variant_publish.formats.typed import prepared
from variant_publish.providers import catalog
from variant_publish.providers.base import NONE
from variant_publish.providers.machine import Machine, parse_setting

_HINT = 'it may hold [limits] x86_64_version = "x86-64-v3" and [providers] allow = [...], deny = [...]'


class _Namespaces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limits: dict[str, Any] = {}
    providers: _Namespaces = _Namespaces()


class Preferences(msgspec.Struct, frozen=True):
    """The limits of variables ("never AVX-512" is x86_64_version at most x86-64-v3) and providers on and off."""

    limits: Mapping[str, str] = {}
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
        with naming(path):
            return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the file; raise UsageError for what it cannot say."""
        try:
            file = msgspec.convert(toml.loads(text), prepared(_File))
        except msgspec.ValidationError as error:
            raise UsageError(f"the preferences hold something else ({error})", hint=_HINT) from error
        except (ValueError, RecursionError) as error:
            raise UsageError(f"the preferences are not TOML ({error})", hint=_HINT) from error
        ordered = [item.name for item in catalog.variables() if item.order is not None]
        if unknown := sorted(set(file.limits) - set(ordered)):
            raise UsageError(f"{unknown[0]} cannot be limited", hint=f"known variables: {', '.join(ordered)}")
        limits = {name: parse_setting(name, str(value)) for name, value in file.limits.items()}
        return cls(limits, file.providers.allow, file.providers.deny)

    def applied(self, machine: Machine) -> Machine:
        """Return the machine as far as the user wants it used."""
        values = dict(machine.values)
        for name, limit in self.limits.items():
            variable = catalog.find_variable(name)
            if variable is not None and variable.order is not None and values.get(name, NONE) != NONE:
                values[name] = limit if limit == NONE else min(values[name], limit, key=variable.order)
        for provider in catalog.providers():
            if provider.namespace in self.deny:
                values |= {item.name: item.lowest for item in provider.variables if values.get(item.name, NONE) != NONE}
        return replace(machine, values=values, allowed=self.allow, denied=self.deny).described({})


def preferences_file(environ: Mapping[str, str]) -> Path:
    """Return the place of the file: XDG_CONFIG_HOME, else where the system keeps such things."""
    if environ.get("XDG_CONFIG_HOME"):
        folder = Path(environ["XDG_CONFIG_HOME"])
    elif sys.platform == "win32" and environ.get("APPDATA"):
        folder = Path(environ["APPDATA"])
    else:
        folder = Path.home() / ".config"
    return folder / "variant-publish" / "preferences.toml"
