"""`variant-publish.json` in an installed dist-info folder: which wheel it was, and what that needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from variant_publish.errors import VariantPublishError
from variant_publish.formats.typed import from_json, from_table, to_json
from variant_publish.formats.variants_json import VariantsMetadata

INSTALLED_FILE = "variant-publish.json"
"""The name of the file in the dist-info folder: of an environment, or of the wheel that a selector sdist hands over."""

_METADATA = "variant-json"


class InstalledVariant(msgspec.Struct, frozen=True, tag_field="schema-version", tag=1, omit_defaults=True):
    """Which wheel was installed under a plain name; `parse(dumps()) == self`.

    `tags` are the extra tags that it carries, or that its index vouches for. `needs` maps the selector variables of
    dialect plus to the values that admit the wheel, `metadata` is what a labelled wheel says of itself (PEP 825).
    `values` is what the machine was when the wheel was chosen. `generic` and `asked` are what the user asked for: the
    build that serves everyone, or one with these tags. `abi` maps dependencies to the versions that it is built with.
    """

    project: str
    version: str
    wheel: str
    variant: str
    dialect: str | None = None
    sha256: str = ""
    index: str = ""
    tags: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = {}
    metadata: VariantsMetadata | None = msgspec.field(default=None, name=_METADATA)
    values: Mapping[str, str] = {}
    generic: bool = False
    asked: tuple[str, ...] = ()
    abi: Mapping[str, str] = {}

    @property
    def wish(self) -> str | None:
        """Return what the user asked for, in a word: "generic", "+cu128", or None."""
        return "generic" if self.generic else "".join(f"+{tag}" for tag in self.asked) or None

    def table(self) -> dict[str, Any]:
        """Return the object of JSON and TOML; what is not set is not there."""
        table: dict[str, Any] = msgspec.to_builtins(replace(self, metadata=None))
        return table if self.metadata is None else {**table, _METADATA: self.metadata.table()}

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        return to_json(self.table(), 2)

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the file; raise VariantPublishError where it is something else."""
        return cls.from_table(from_json(content, dict[str, Any], _unreadable))

    @classmethod
    def from_table(cls, data: Mapping[str, Any]) -> Self:
        """Build from the object; raise VariantPublishError where it is something else."""
        metadata = data.get(_METADATA)
        found = from_table({**data, _METADATA: None}, cls, _unreadable)
        return found if metadata is None else replace(found, metadata=VariantsMetadata.from_table(metadata))


def _unreadable(reason: str) -> VariantPublishError:
    return VariantPublishError(f"{INSTALLED_FILE} cannot be read ({reason})", hint="install the package again")
