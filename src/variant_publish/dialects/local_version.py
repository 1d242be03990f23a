"""Dialect local: the variant is a local version: `foo-1.0+cu128-cp312-cp312-win_amd64.whl`.

No name tells it by itself, since projects have local versions for other reasons too: a configuration does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace
from packaging.version import Version

from variant_publish.dialects.base import Dialect, Words
from variant_publish.errors import UsageError
from variant_publish.model.plain_name import InvalidWheelName, PlainName
from variant_publish.model.variant import NULL_LABEL, Variant


class Local(Dialect):
    """A local version, in an index of its own for each variant; the user chooses the index."""

    name = "local"
    chosen_by_installers = False

    def read(self, text: str) -> tuple[str, Words] | None:
        """Return None: a local version may have any meaning."""
        return None

    def declared(self, plain: PlainName, known: Iterable[Words]) -> tuple[PlainName, Words] | None:
        """Take the local version off, where it is one of the known variants."""
        local = plain.parsed_version.local
        if local is None or (local,) not in known:
            return None
        return without_local(plain), (local,)

    def write(self, plain: PlainName, words: Words) -> str:
        """Return the name with the local version."""
        return str(replace(plain, version=self.version(plain, words)))

    def version(self, plain: PlainName, words: Words) -> str:
        """Return the version with its local part."""
        if "+" in plain.version:
            raise InvalidWheelName(
                f"{str(plain)!r} has a local version already, which leaves no room for the variant {words[0]!r}",
                hint=f"build it as version {plain.parsed_version.public}, or use another dialect",
            )
        return f"{plain.version}+{words[0]}"

    def validate(self, words: Words) -> None:
        """Raise InvalidWheelName for a local version that is not normalised."""
        for local in words:
            if local_of(local) != local:
                raise InvalidWheelName(f"{local!r} is not a local version", hint=f"write it as {local_of(local)!r}")

    def words_of(self, variant: Variant) -> Words:
        """Return the local version; the null variant is the generic wheel."""
        return () if variant.label == NULL_LABEL else (local_of(variant.label),)


LOCAL = Local()


def local_of(label: str) -> str:
    """Return the local version that stands for a label, normalised (PEP 440, "Local version identifiers").

    `x86_64_v3` becomes `x86.64.v3`, which is how installers write it; separators that a local version cannot begin or
    end with, or have twice, are left out. Raises UsageError where nothing is left.
    """
    text = ".".join(part for part in re.split(r"[._]", label) if part)
    if not text:
        raise UsageError(
            f"variant label {label!r} has no letter or digit, so it can be no local version",
            hint="choose another label, for example 'cu128'",
        )
    return Version(f"0+{text}").local or ""


def without_local(plain: PlainName) -> PlainName:
    """Return the name with the public version: `1.0` for `1.0+cu128`."""
    return replace(plain, version=plain.version.partition("+")[0])
