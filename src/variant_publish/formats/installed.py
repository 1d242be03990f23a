"""`variant-publish.json` in an installed dist-info folder: which wheel it was, and what that needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.formats.variants_json import VariantsMetadata

INSTALLED_FILE = "variant-publish.json"
"""The name of the file in the dist-info folder: of an environment, or of the wheel that a selector sdist hands over."""


class InstalledVariant(msgspec.Struct, frozen=True):
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
    metadata: VariantsMetadata | None = None
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
        data: dict[str, Any] = {
            "schema-version": 1,
            "project": self.project,
            "version": self.version,
            "wheel": self.wheel,
            "variant": self.variant,
            "dialect": self.dialect,
            "sha256": self.sha256,
            "index": self.index,
            "tags": list(self.tags),
            "needs": {variable: list(values) for variable, values in self.needs.items()},
            "variant-json": None if self.metadata is None else json.loads(self.metadata.dumps()),
            "values": dict(self.values),
            "generic": self.generic or None,
            "asked": list(self.asked) or None,
            "abi": dict(self.abi) or None,
        }
        return {key: value for key, value in data.items() if value is not None}

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        return json.dumps(self.table(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the file; raise VariantPublishError where it is something else."""
        try:
            return cls.from_table(json.loads(content))
        except (ValueError, RecursionError) as error:
            raise VariantPublishError(
                f"{INSTALLED_FILE} cannot be read ({error})", hint="install the package again"
            ) from error

    @classmethod
    def from_table(cls, data: Mapping[str, Any]) -> Self:
        """Build from the object; raise VariantPublishError where it is something else."""
        try:
            metadata = data.get("variant-json")
            return cls(
                project=data["project"],
                version=data["version"],
                wheel=data["wheel"],
                variant=data["variant"],
                dialect=data.get("dialect"),
                sha256=data["sha256"],
                index=data["index"],
                tags=tuple(data["tags"]),
                needs={variable: tuple(values) for variable, values in data["needs"].items()},
                metadata=None if metadata is None else VariantsMetadata.parse(json.dumps(metadata)),
                values=dict(data["values"]),
                generic=data.get("generic", False),
                asked=tuple(data.get("asked", ())),
                abi=dict(data.get("abi", {})),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VariantPublishError(
                f"{INSTALLED_FILE} cannot be read ({error!r})", hint="install the package again"
            ) from error
