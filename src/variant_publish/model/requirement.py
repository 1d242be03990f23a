"""Requirements with extra tags: `numpy+pypi==2.0.0` (the semi-static proposal, "Requirements")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from variant_publish.errors import UsageError
from variant_publish.model.tags import validate_extra_tag

_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:\+[^\s\[(<>=!~;@,]*)*)")


@dataclass(frozen=True, slots=True)
class TaggedRequirement:
    """Hold a PEP 508 requirement whose wheel must carry the extra `tags`; with no tags, a plain requirement.

    `parse(str(requirement)) == requirement`; the tags bind this project alone.
    """

    plain: Requirement
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for tag in self.tags:
            validate_extra_tag(tag)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a requirement; raise UsageError where PEP 508 or the tag grammar does not allow it."""
        head = _HEAD.match(text)
        tags = tuple(head[2].split("+")[1:]) if head else ()
        rest = f"{head[1]} {text[head.end() :]}" if head else text  # the space keeps "foo bar" two words
        try:
            return cls(Requirement(rest), tags)
        except (InvalidRequirement, UsageError) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(
                f"requirement {text!r} is not valid ({reason})",
                hint="write it as NAME[+TAG][EXTRAS][SPECIFIER][; MARKER], for example 'numpy+pypi==2.0.0'",
            ) from error

    @property
    def project(self) -> NormalizedName:
        """Give the normalised project name."""
        return canonicalize_name(self.plain.name)

    @property
    def pin(self) -> str | None:
        """Give the version if the requirement is an exact pin (one `==` without `.*`), else None."""
        specifiers = list(self.plain.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or specifiers[0].version.endswith(".*"):
            return None
        return specifiers[0].version

    def __str__(self) -> str:
        name = self.plain.name
        return name + "".join(f"+{tag}" for tag in self.tags) + str(self.plain).removeprefix(name)

    def __hash__(self) -> int:
        return hash(str(self))
