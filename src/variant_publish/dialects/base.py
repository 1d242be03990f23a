"""What a dialect is: the grammar of a wheel's file name, what retagging changes in the wheel, and its selector file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from packaging.version import Version

from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.variants_json import Provider
from variant_publish.model.plain_name import InvalidWheelName, PlainName
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.variant import Properties, Variant

Words = tuple[str, ...]
"""A variant as one dialect writes it in a file name: extra tags, a label, a local version."""

InfoFiles = Mapping[str, bytes]
"""The small files of a dist-info folder, by name."""

ProviderOf = Callable[[str], Provider]
"""Return the provider of a namespace."""

Rank = Callable[[Words], tuple[Any, ...] | str]
"""Return the key of a variant on one machine, the smallest being the best and the last part its name, or why it has
none there; no words stand for the generic wheel."""

Simulate = Callable[[Iterable[Properties]], Iterator[Mapping[str, str]]]
"""Return the machines that tell some properties apart, as values of selector variables."""

UNLISTED = "is a variant, and no selector file lists it"


class MachineFacts(Protocol):
    """What a dialect asks of a machine."""

    @property
    def abi(self) -> Mapping[str, str]:
        """Return the versions of dependencies whose ABI counts, by name."""
        ...

    def value(self, variable: str) -> str | None:
        """Return the value of a selector variable; None for one that is unknown."""
        ...

    def is_foreign(self, variable: str) -> bool:
        """Return whether the variable is about another architecture than this machine's."""
        ...

    def features(self, namespace: str, provider: Provider) -> Mapping[str, Sequence[str]] | str:
        """Return what the machine supports in a namespace, best first, or why the provider is off."""
        ...

    def here(self, namespace: str, feature: str) -> str:
        """Return what the machine has of a feature, for people."""
        ...

    def asked(self, namespace: str, feature: str, values: Sequence[str]) -> str:
        """Return what a feature asks of a machine, for people."""
        ...


class ListedWheel(msgspec.Struct, frozen=True):
    """A wheel of a release, as far as a selector file depends on it; `place` is its path, for messages."""

    words: Words
    info: InfoFiles
    place: str


class ReleaseFacts(msgspec.Struct, frozen=True):
    """What a selector file is made of: the wheels of its dialect, the declared variants, and the tables of variables.

    `tables` derives them from the properties of the variants, and raises UsageError where that is not possible.
    """

    wheels: tuple[ListedWheel, ...]
    variants: tuple[Variant, ...]
    tables: Callable[[], SelectorFile]


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
    suffix: str = ""
    """The end of the name of the selector file; "" for a dialect without one."""
    selector: type[Any] | None = None
    """The type of a parsed selector file."""
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

    # The selector file of a release: what installers choose by. `data` is what `parse` returns.

    def file_name(self, project: str, version: str) -> str:
        """Return the name of the selector file on an index."""
        return f"{canonicalize_name(project)}-{Version(version)}{self.suffix}"

    def parse(self, content: bytes | str) -> Any:
        """Parse a selector file; raise VariantPublishError where it is none."""
        raise NotImplementedError

    def dumps(self, data: Any) -> str:
        """Return the text of a selector file; equal values have equal text."""
        text: str = data.dumps()
        return text

    def merge(self, parts: Sequence[Any]) -> Any:
        """Unite the selector files of one release, in any order; raise VariantPublishError for a contradiction."""
        raise NotImplementedError

    def gather(self, release: ReleaseFacts) -> Any:
        """Return the selector file of a release that has wheels of the dialect."""
        raise NotImplementedError

    def names(self, data: Any) -> tuple[str, ...]:
        """Return the words that a selector file names."""
        return tuple(self.meanings(data))

    def meanings(self, data: Any) -> Mapping[str, Properties]:
        """Return the properties of each variant, where the file says them."""
        return {}

    def fault(self, data: Any, words: Words) -> str:
        """Return why the file never leads to a wheel with these words; "" where it does."""
        unknown = [word for word in words if word not in self.names(data)]
        return f"it does not name {unknown[0]!r}" if unknown else ""

    def rank(self, data: Any, machine: MachineFacts, asked: Sequence[str] = ()) -> Rank:
        """Return how the variants of a release rank on a machine.

        `data` is None where no selector file lists the wheels. `asked` are words that the user asks for: one that no
        file places is no obstacle. Raises VariantPublishError where the machine cannot be evaluated.
        """
        return lambda words: UNLISTED if words else (0, "")

    def machines(self, data: Any, wheels: Collection[Words], simulate: Simulate) -> Iterator[Mapping[str, str]]:
        """Return the machines for which the file distinguishes some wheels, given by their words."""
        return simulate(self.meanings(data).values())

    def dependencies(self, data: Any, words: Words) -> Mapping[str, Sequence[str]]:
        """Return the versions of dependencies that a build was made against, as release prefixes by name."""
        return {}

    def asks_hardware(self, data: Any, words: Words) -> bool:
        """Return whether a variant asks anything of the hardware."""
        return not self.serves_everyone(words)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<dialect {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from variant_publish.dialects.registry import dialect_of

        return dialect_of, (self.name,)
