"""`variants.toml`: what a machine is, stored, so that a choice can be made again elsewhere."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from variant_publish.errors import VariantPublishError

_KEYS = {"schema-version", "python", "platform", "values", "properties", "evaluated"}

Features = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class HostFile:
    """A described machine; `parse(dumps()) == self`.

    `python` is like "3.12.3" or "3.14.0t", `platform` is the best platform tag, `values` those of the selector
    variables. `properties` (PEP 850) are what follows from the values: for readers, and not read back. `evaluated`
    are the properties that a third-party provider gave, which no value tells.
    """

    python: str
    platform: str
    values: Mapping[str, str]
    evaluated: Features = field(default_factory=dict)
    properties: Features = field(default_factory=dict, compare=False)

    def table(self) -> dict[str, Any]:
        """Return the TOML table."""
        data: dict[str, Any] = {
            "schema-version": 1,
            "python": self.python,
            "platform": self.platform,
            "values": dict(self.values),
            "properties": self.properties,
        }
        if self.evaluated:
            data["evaluated"] = self.evaluated
        return data

    def dumps(self) -> str:
        """Return the TOML text; equal values give equal text."""
        import tomlkit

        return tomlkit.dumps(self.table())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the file; raise VariantPublishError where it is something else."""
        try:
            return cls.of_table(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise _not_a_host(error) from error

    @classmethod
    def of_table(cls, data: Mapping[str, Any]) -> Self:
        """Build from the TOML table; raise VariantPublishError where it is something else."""
        try:
            if unknown := sorted(set(data) - _KEYS):
                raise ValueError(f"the key {unknown[0]!r} is not known")
            if data["schema-version"] != 1:
                raise ValueError(f"schema-version {data['schema-version']!r} is not known")
            texts = [data["python"], data["platform"], *data["values"].values()]
            if not all(isinstance(item, str) for item in texts):
                raise ValueError("python, platform and values are strings")
            return cls(
                data["python"],
                data["platform"],
                dict(data["values"]),
                _features(data.get("evaluated", {})),
                _features(data.get("properties", {})),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_a_host(error) from error


def _not_a_host(error: Exception) -> VariantPublishError:
    return VariantPublishError(
        f"this is not a description of a machine ({error})", hint="write one with 'variant-publish host --save FILE'"
    )


def _features(table: Mapping[str, Mapping[str, Any]]) -> Features:
    return {
        namespace: {feature: tuple(map(str, values)) for feature, values in features.items()}
        for namespace, features in table.items()
    }
