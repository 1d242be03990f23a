"""Dialect pep825: a variant label at the end of the file name (PEP 825): `foo-1.0-cp312-cp312-win_amd64-cu128.whl`."""

from __future__ import annotations

from collections.abc import Sequence

from variant_publish.dialects.base import Dialect, InfoFiles, ProviderOf, Words
from variant_publish.errors import UsageError
from variant_publish.formats.variants_json import WHEEL_FILE, InvalidVariantMetadata, VariantsMetadata
from variant_publish.model.plain_name import InvalidWheelName, PlainName, shortened
from variant_publish.model.variant import NULL_LABEL, Variant, validate_label


class Pep825(Dialect):
    """One label, and `variant.json` in the wheel; the label "null" is the variant without properties."""

    name = "pep825"
    option = "--label"
    own_files = (WHEEL_FILE,)

    def read(self, text: str) -> tuple[str, Words] | None:
        """Cut the label off; a third component that begins with a digit is the build tag, which no Python tag does."""
        parts = text.removesuffix(".whl").split("-")
        has_build = len(parts) > 2 and parts[2][:1].isdigit()
        if len(parts) != 6 + has_build:
            return None
        if "+" in parts[-2]:
            raise InvalidWheelName(
                f"{shortened(text)} has extra tags and a variant label",
                hint="take one of them off: a wheel belongs to one dialect",
            )
        return f"{'-'.join(parts[:-1])}.whl", (parts[-1],)

    def write(self, plain: PlainName, words: Words) -> str:
        """Return the name with the label at its end."""
        return f"{str(plain).removesuffix('.whl')}-{words[0]}.whl"

    def validate(self, words: Words) -> None:
        """Raise UsageError for a label that PEP 825 does not allow."""
        for label in words:
            validate_label(label)

    def words_of(self, variant: Variant) -> Words:
        """Return the label."""
        return (variant.label,)

    def info_files(self, variant: Variant, namespaces: Sequence[str], provider_of: ProviderOf) -> InfoFiles:
        """Return variant.json with this label alone, and the providers that installers ask for it."""
        if not variant.properties and variant.label != NULL_LABEL:
            raise UsageError(
                f"label {variant.label!r} has no properties, so no installer could choose it",
                hint='say what it needs, for example --property "x86_64 :: level :: v3"',
            )
        providers = {name: provider_of(name) for name in namespaces}
        try:
            metadata = VariantsMetadata(tuple(namespaces), {variant.label: variant.properties}, providers)
        except InvalidVariantMetadata as error:
            raise UsageError(error.message, hint=error.hint) from error
        return {WHEEL_FILE: metadata.dumps().encode()}

    def serves_everyone(self, words: Words) -> bool:
        """Return whether it is the null variant."""
        return words == (NULL_LABEL,)


PEP825 = Pep825()
