"""What a dialect is: the grammar of a wheel's file name, what retagging changes in the wheel, and its selector file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from variant_publish.formats.variants_json import Provider
from variant_publish.model.plain_name import InvalidWheelName, PlainName
from variant_publish.model.variant import Variant

Words = tuple[str, ...]
"""A variant as one dialect writes it in a file name: extra tags, a label, a local version."""

InfoFiles = Mapping[str, bytes]
"""The small files of a dist-info folder, by name."""

ProviderOf = Callable[[str], Provider]
"""Return the provider of a namespace."""


class PartialTagSet(InvalidWheelName):
    """Report an extra tag on some members of a compressed tag set only.

    pip reads such a name as "generic or this variant" and installs it on any machine.
    """


class Dialect(ABC):
    """One way in which a wheel says that it is a variant; one object each, found by its name in the registry."""

    name: str
    """The name in options, configurations and JSON."""
    option: str = ""
    """The option of `retag` that gives the variant, and means this dialect where none is named."""
    chosen_by_installers: bool = True
    """Whether installers choose by what the machine is; otherwise the user chooses, by index or version."""
    plain_installers_read: bool = True
    """Whether pip and uv read such a wheel; otherwise only variant-aware tools do, and METADATA is written for those:
    it may have requirements with extra tags (`numpy+pypi==2.0.0`)."""
    own_files: tuple[str, ...] = ()
    """The files of dist-info that only wheels of this dialect have."""

    @abstractmethod
    def read(self, text: str) -> tuple[str, Words] | None:
        """Split a file name into the plain one and the words of the variant; None where it is not of this dialect.

        Raises InvalidWheelName for a name that begins to be of this dialect and is none.
        """

    @abstractmethod
    def write(self, plain: PlainName, words: Words) -> str:
        """Return the file name of a variant of the plain wheel; raise InvalidWheelName where it can have none."""

    @abstractmethod
    def validate(self, words: Words) -> None:
        """Raise VariantPublishError unless the words can stand in a file name."""

    @abstractmethod
    def words_of(self, variant: Variant) -> Words:
        """Return how a declared variant is written; no words for one that is the plain wheel in this dialect.

        Raises UsageError where it cannot be written.
        """

    def declared(self, plain: PlainName, known: Iterable[Words]) -> tuple[PlainName, Words] | None:
        """Split a plain name of which only a configuration says that it is a variant (`known`)."""
        return None

    def version(self, plain: PlainName, words: Words) -> str:
        """Return the version that METADATA, dist-info and the file name have."""
        return plain.version

    def tag_lines(self, plain: PlainName, words: Words) -> Sequence[str]:
        """Return the `Tag:` values of the WHEEL file."""
        return plain.tag_lines

    def info_files(self, variant: Variant, namespaces: Sequence[str], provider_of: ProviderOf) -> InfoFiles:
        """Return the files of dist-info that a wheel of the variant gets.

        `namespaces` is the priority of the whole release; `provider_of` raises UsageError for an unknown namespace.
        """
        return {}

    def serves_everyone(self, words: Words) -> bool:
        """Return whether every machine that the platform tag admits can use the wheel."""
        return False

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<dialect {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from variant_publish.dialects.registry import dialect_of

        return dialect_of, (self.name,)
