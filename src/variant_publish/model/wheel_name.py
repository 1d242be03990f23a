"""File names of wheels in every dialect (PEP 427, PEP 825 "File name", and the extra tags of dialect plus)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Self

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.model.tags import validate_extra_tag
from variant_publish.model.variant import GENERIC, NULL_LABEL, Dialect, validate_label


class InvalidWheelName(VariantPublishError):
    """Report a file name that is no wheel's."""


class PartialTagSet(InvalidWheelName):
    """Report an extra tag on some members of a compressed tag set only.

    pip reads such a name as "generic or this variant" and installs it on any machine.
    """


@dataclass(frozen=True)
class WheelName:
    """The parts of a wheel's file name; `parse(str(name)) == name` and `str(parse(text)) == text`.

    `platform` holds the members of the compressed tag set without extra tags. A name has extra tags or a label,
    never both: they are two dialects. `local` says that the local part of `version` is the variant; no name tells that
    by itself, since projects have local versions for other reasons too, so `parse` leaves it None (see `with_locals`).
    Raises InvalidWheelName (PartialTagSet) from `parse`.
    """

    distribution: str
    version: str
    build: str
    python: tuple[str, ...]
    abi: tuple[str, ...]
    platform: tuple[str, ...]
    extra_tags: tuple[str, ...] = ()
    label: str | None = None
    local: str | None = None

    def __post_init__(self) -> None:
        for tag in self.extra_tags:
            validate_extra_tag(tag)
        if self.label is not None:
            validate_label(self.label)
        if self.extra_tags and self.label is not None:
            raise InvalidWheelName(
                f"{str(self)!r} has extra tags and a variant label",
                hint="take one of them off: a wheel belongs to one dialect",
            )
        try:
            parse_wheel_filename(self._plain)
        except InvalidWheelFilename as error:
            raise InvalidWheelName(
                f"{str(self)!r} is not a wheel's file name ({error})",
                hint="name it {name}-{version}(-{build})-{python}-{abi}-{platform}.whl",
            ) from error
        if self.local is not None and (self.local != self.parsed_version.local or self.extra_tags or self.label):
            raise InvalidWheelName(
                f"{str(self)!r} is not the variant with the local version {self.local!r}",
                hint="write one dialect: the local version, extra tags, or a label",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a file name (no folder); a third component that begins with a digit is the build tag."""
        parts = text.removesuffix(".whl").split("-")
        if not text.endswith(".whl") or not 5 <= len(parts) <= 7:
            raise InvalidWheelName(
                f"{text!r} is not a wheel's file name",
                hint="name it {name}-{version}(-{build})-{python}-{abi}-{platform}(-{label}).whl",
            )
        distribution, version, *rest = parts
        build = rest.pop(0) if rest[0][:1].isdigit() else ""
        label = rest.pop() if len(rest) == 4 else None
        if len(rest) != 3:
            raise InvalidWheelName(
                f"{text!r} is not a wheel's file name",
                hint="a build tag begins with a digit; a variant label comes last",
            )
        python, abi, platform = (part.split(".") for part in rest)
        members = [member.split("+") for member in platform]
        extra = {tuple(member[1:]) for member in members}
        if len(extra) != 1:
            marked = "+".join(max(extra))
            raise PartialTagSet(
                f"{text!r} carries +{marked} on some members of its platform tag set only, so pip takes it for a"
                " generic wheel",
                hint=f"retag the generic wheel with --tag {marked}: every member needs the same extra tags",
            )
        return cls(
            distribution, version, build, tuple(python), tuple(abi),
            tuple(member[0] for member in members), extra.pop(), label,
        )  # fmt: skip

    def __str__(self) -> str:
        label = f"-{self.label}" if self.label is not None else ""
        suffix = "".join(f"+{tag}" for tag in self.extra_tags)
        platform = ".".join(member + suffix for member in self.platform)
        return f"{self._head}-{platform}{label}.whl"

    @property
    def _head(self) -> str:
        build = f"-{self.build}" if self.build else ""
        return f"{self.distribution}-{self.version}{build}-{'.'.join(self.python)}-{'.'.join(self.abi)}"

    @property
    def _plain(self) -> str:
        return f"{self._head}-{'.'.join(self.platform)}.whl"

    @cached_property
    def project(self) -> NormalizedName:
        """Return the normalised project name (PEP 503)."""
        return canonicalize_name(self.distribution)

    @cached_property
    def parsed_version(self) -> Version:
        """Return the version as a comparable value (PEP 440)."""
        return Version(self.version)

    @property
    def release_version(self) -> Version:
        """Return the version of the release that the wheel is of: without the local part, if that is the variant."""
        return Version(self.parsed_version.public) if self.local is not None else self.parsed_version

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Return the expanded compatibility tags without extra tags."""
        return frozenset(Tag(*parts) for parts in product(self.python, self.abi, self.platform))

    @property
    def dialect(self) -> Dialect | None:
        """Return the dialect that the name is written in; None for a generic wheel."""
        if self.label is not None:
            return Dialect.PEP825
        if self.local is not None:
            return Dialect.LOCAL
        return Dialect.PLUS if self.extra_tags else None

    @property
    def variant(self) -> str:
        """Return variant as people call it: the extra tags joined by `+`, the label, the local version, or `generic`.

        The null variant of PEP 825 has its own name, "null".
        """
        return self.label or "+".join(self.extra_tags) or self.local or GENERIC

    @property
    def serves_everyone(self) -> bool:
        """Return whether every machine that the platform tag admits can use the wheel: generic, or null."""
        return self.dialect is None or self.label == NULL_LABEL

    def tag_lines(self) -> tuple[str, ...]:
        """Return the `Tag:` values that the WHEEL file must hold: one for each expanded tag, extra tags included."""
        suffix = "".join(f"+{tag}" for tag in self.extra_tags)
        return tuple(
            f"{python}-{abi}-{platform}{suffix}"
            for python, abi, platform in product(self.python, self.abi, self.platform)
        )

    def with_variant(
        self, *, extra_tags: tuple[str, ...] = (), label: str | None = None, local: str | None = None
    ) -> Self:
        """Return the name with this variant in place of any other; without arguments, the generic name.

        Raises InvalidWheelName where the version has a local part that is no variant and `local` would be a second one.
        """
        version = self.version if self.local is None else self.version.partition("+")[0]
        if local is not None:
            if "+" in version:
                raise InvalidWheelName(
                    f"{str(self)!r} has a local version already, which leaves no room for the variant {local!r}",
                    hint=f"build it as version {self.parsed_version.public}, or use another dialect",
                )
            version = f"{version}+{local}"
        return replace(self, version=version, extra_tags=extra_tags, label=label, local=local)

    def with_locals(self, known: Collection[str]) -> Self:
        """Return the name as a variant of dialect local, if its local version is one of these variants."""
        local = self.parsed_version.local
        return replace(self, local=local) if self.dialect is None and local in known else self

    def without_local(self) -> Self:
        """Return the name with the public version: `1.0` for `1.0+cu128` (PEP 440, "Local version identifiers")."""
        return replace(self, version=self.version.partition("+")[0])

    def renamed(self, project: str) -> Self:
        """Return the name for another project, escaped as the binary distribution format has it."""
        return replace(self, distribution=canonicalize_name(project).replace("-", "_"))
