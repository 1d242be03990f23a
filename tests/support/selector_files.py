"""A release with its selector files."""

from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, release_in
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.release.selectors import of_release

PLUS_V3 = PLAIN.replace(".whl", "+v3.whl")


LABELLED_V3 = PLAIN.replace(".whl", "-v3.whl")


CONFIG = '[tool.variant-publish.variants.v3]\nproperties = ["x86_64 :: level :: v3"]\n'


JSON, TOML = "foo-1.0-variants.json", "foo-1.0-wheel-selector.toml"


X86 = {"x86_64": KNOWN_PROVIDERS["x86_64"]}


def metadata_of(
    label: str = "v3", line: str = "x86_64 :: level :: v3", providers: dict[str, Provider] | None = None
) -> VariantsMetadata:
    properties = Properties.parse([line])
    return VariantsMetadata(properties.namespaces, {label: properties}, X86 if providers is None else providers)


def written(folder: Path, config: str = CONFIG) -> None:
    """Write the selector files of the wheels in a folder beside them."""
    for name, text in of_release(release_in(folder, config)).texts("foo", "1.0").items():
        (folder / name).write_text(text, "utf-8")
