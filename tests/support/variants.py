"""A small release with hardware variants and builds against torch, as a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from support.wheels import make_wheel
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

LOWER = "nvidia :: cuda_version_lower_bound"
TORCH = "abi_dependency :: torch"
VARIANTS = {
    "cu126": [f"{LOWER} :: 12.6"],
    "cu128": [f"{LOWER} :: 12.8"],
}
ABI = {
    "torch2.8": [f"{TORCH} :: 2.8"],
    "torch2.9": [f"{TORCH} :: 2.9"],
    "cu128.torch2.9": [f"{LOWER} :: 12.8", f"{TORCH} :: 2.9"],
}


def write_release(
    folder: Path,
    variants: Mapping[str, Iterable[str]] = VARIANTS,
    *,
    name: str = "foo",
    version: str = "1.0",
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    plain: bool = True,
) -> Path:
    """Write a wheel for each variant, and a generic one if `plain`; return the folder."""
    properties = {label: Properties.parse(lines) for label, lines in variants.items()}
    namespaces = tuple(sorted({space for found in properties.values() for space in found.namespaces}, reverse=True))
    metadata = VariantsMetadata(namespaces, properties, {space: KNOWN_PROVIDERS[space] for space in namespaces})
    for label in variants:
        make_wheel(folder, f"{name}-{version}-{tag}-{label}.whl", variant=metadata.only(label), requires=requires)
    if plain:
        make_wheel(folder, f"{name}-{version}-{tag}.whl", requires=requires)
    (folder / f"{name}-{version}-variants.json").write_text(metadata.dumps(), encoding="utf-8")
    return folder
