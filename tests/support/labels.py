"""Labelled wheels and their variant.json, for the tests of rules on labels."""

from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN
from support.wheels import make_wheel
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

CUDA = "nvidia :: cuda_version_lower_bound :: 12.8"
LOWER = "nvidia :: cuda_version_lower_bound :: "


def label(folder: Path, name: str, *properties: str, providers: dict[str, Provider] | None = None) -> Path:
    """Write a labelled wheel with these properties."""
    parsed = Properties.parse(properties)
    known = {namespace: KNOWN_PROVIDERS[namespace] for namespace in ("nvidia", "x86_64")}
    found = {**known, **(providers or {})}
    metadata = VariantsMetadata(tuple(found), {name: parsed}, found)
    return make_wheel(folder, PLAIN.replace(".whl", f"-{name}.whl"), variant=metadata)


LEVELS = """[tool.variant-publish.variants.v3]
properties = ["x86_64 :: level :: v3"]
[tool.variant-publish.variants.v4]
properties = ["x86_64 :: level :: v4"]
"""


def cuda_metadata(label: str, *lines: str) -> VariantsMetadata:
    """Return a variant.json of one label, with these properties of namespace nvidia."""
    return VariantsMetadata(("nvidia",), {label: Properties.parse(lines)}, {"nvidia": KNOWN_PROVIDERS["nvidia"]})
