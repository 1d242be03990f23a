"""`variants.toml`: what a machine is, stored, so that a choice can be made again elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.formats import toml
from variant_publish.formats.typed import from_table, refusing

Features = Mapping[str, Mapping[str, tuple[str, ...]]]


class HostFile(msgspec.Struct, frozen=True, tag_field="schema-version", tag=1, forbid_unknown_fields=True):
    """A described machine; `parse(dumps()) == self`.

    `python` is like "3.12.3" or "3.14.0t", `platform` is the best platform tag, `values` those of the selector
    variables. `properties` (PEP 850) are what follows from the values, for readers. `evaluated` are the properties that
    a third-party provider gave, which no value tells.
    """

    python: str
    platform: str
    values: Mapping[str, str]
    evaluated: Features = {}
    properties: Features = {}

    def table(self) -> dict[str, Any]:
        """Return the TOML table."""
        table: dict[str, Any] = msgspec.to_builtins(self)
        return table

    def dumps(self) -> str:
        """Return the TOML text; equal values give equal text."""
        return toml.dumps(self.table())

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the file; raise VariantPublishError where it is something else."""
        with refusing(_not_a_host):
            table = toml.loads(content if isinstance(content, str) else content.decode())
        return from_table(table, cls, _not_a_host)


def _not_a_host(reason: str) -> VariantPublishError:
    return VariantPublishError(
        f"this is not a description of a machine ({reason})", hint="write one with 'variant-publish host --save FILE'"
    )
