"""File names of wheels in every dialect: a plain name and the variant that a dialect writes into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec.structs import replace
from packaging.version import Version

from variant_publish.dialects.base import Dialect, Words
from variant_publish.dialects.local_version import without_local
from variant_publish.dialects.registry import DIALECTS
from variant_publish.formats.simple import IndexFile
from variant_publish.model.plain_name import NAME_LIMIT, InvalidWheelName, PlainName, shortened
from variant_publish.model.variant import GENERIC

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import NormalizedName


class WheelName(msgspec.Struct, frozen=True, dict=True):
    """A wheel's file name; `parse(str(name)) == name` and `str(parse(text)) == text`.

    `plain` is the name of the wheel without its variant, `words` is the variant as `dialect` writes it; a generic wheel
    has neither. Of a local version no name says by itself whether it is the variant, so `parse` takes it for a part of
    a plain name (see `with_known`). Raises InvalidWheelName from `parse`.
    """

    plain: PlainName
    dialect: Dialect | None = None
    words: Words = ()

    def __post_init__(self) -> None:
        if (self.dialect is None) != (not self.words):
            raise InvalidWheelName(f"{str(self.plain)!r} has a dialect and no variant", hint="name the variant")
        if self.dialect is not None:
            self.dialect.validate(self.words)
        if len(str(self)) > NAME_LIMIT:
            raise InvalidWheelName(
                f"{shortened(str(self))} is longer than {NAME_LIMIT} characters",
                hint="use a shorter name for the variant",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a file name without a folder."""
        if len(text) <= NAME_LIMIT and text.endswith(".whl"):
            for dialect in DIALECTS.values():
                if (found := dialect.read(text)) is not None:
                    plain, words = found
                    return cls(PlainName.parse(plain), dialect, words)
        return cls(PlainName.parse(text))

    @classmethod
    def find(cls, text: str) -> Self | None:
        """Parse a file name; return None for what is no wheel: an sdist, a selector file, an old egg."""
        with suppress(InvalidWheelName):
            return cls.parse(text)
        return None

    def __str__(self) -> str:
        return str(self.plain) if self.dialect is None else self.dialect.write(self.plain, self.words)

    @property
    def platform(self) -> tuple[str, ...]:
        """Return the members of the platform tag set, without extra tags."""
        return self.plain.platform

    @property
    def project(self) -> NormalizedName:
        """Return the normalised project name (PEP 503)."""
        return self.plain.project

    @property
    def tags(self) -> frozenset[Tag]:
        """Return the expanded compatibility tags, without extra tags."""
        return self.plain.tags

    @cached_property
    def version(self) -> str:
        """Return the version that METADATA, dist-info and the file name have."""
        return self.plain.version if self.dialect is None else self.dialect.version(self.plain, self.words)

    @cached_property
    def parsed_version(self) -> Version:
        """Return that version as a comparable value (PEP 440)."""
        return Version(self.version)

    @property
    def release_version(self) -> Version:
        """Return the version of the release that the wheel is of: without the local part, if that is the variant."""
        return self.plain.parsed_version

    @property
    def variant(self) -> str:
        """Return the variant as people call it, such as `x86_64_v3+cu128` or `generic`."""
        return "+".join(self.words) or GENERIC

    @property
    def label(self) -> str:
        """Return the variant as one label; "" for a generic wheel."""
        return "_".join(self.words)

    @property
    def serves_everyone(self) -> bool:
        """Return whether every machine that the platform tag admits can use the wheel: generic, or null."""
        return self.dialect is None or self.dialect.serves_everyone(self.words)

    @property
    def plain_installers_read(self) -> bool:
        """Return whether pip and uv read the wheel; see the dialect."""
        return self.dialect is None or self.dialect.plain_installers_read

    @property
    def chosen_by_installers(self) -> bool:
        """Return whether installers can take the wheel as what it is: generic, or a variant that they choose."""
        return self.dialect is None or self.dialect.chosen_by_installers

    @property
    def own_files(self) -> tuple[str, ...]:
        """Return the files of dist-info that such a wheel has and others have not."""
        return () if self.dialect is None else self.dialect.own_files

    def tag_lines(self) -> tuple[str, ...]:
        """Return the `Tag:` values that the WHEEL file must have."""
        return self.plain.tag_lines if self.dialect is None else tuple(self.dialect.tag_lines(self.plain, self.words))

    def with_variant(self, dialect: Dialect | None, words: Words) -> Self:
        """Return the name with this variant in place of any other; without words, the generic name."""
        return type(self)(self.plain, dialect if words else None, words)

    def generic(self) -> Self:
        """Return the name without a variant."""
        return type(self)(self.plain)

    def with_parts(self, **parts: Any) -> Self:
        """Return the name with other parts of the plain name."""
        return type(self)(replace(self.plain, **parts), self.dialect, self.words)

    def with_known(self, dialect: Dialect, known: Iterable[Words]) -> Self:
        """Return a plain name as one of these variants, if the dialect says that it can be one."""
        found = dialect.declared(self.plain, known) if self.dialect is None else None
        return self if found is None else type(self)(found[0], dialect, found[1])

    def without_local(self) -> Self:
        """Return the name with the public version: `1.0` for `1.0+cu128`."""
        return type(self)(without_local(self.plain), self.dialect, self.words)

    def renamed(self, project: str) -> Self:
        """Return the name for another project, escaped as the binary distribution format has it."""
        return type(self)(self.plain.renamed(project), self.dialect, self.words)


def wheels_among(files: Iterable[IndexFile]) -> Iterator[tuple[WheelName, IndexFile]]:
    """Return the wheels among the files of an index, with their names."""
    for file in files:
        if (name := WheelName.find(file.filename)) is not None:
            yield name, file
