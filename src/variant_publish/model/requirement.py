"""Requirements with extra tags: `numpy+pypi==2.0.0` (the semi-static proposal, "Requirements")."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Self

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.project_name import canonicalize_name, is_normalized_name
from variant_publish.model.tags import validate_extra_tag
from variant_publish.model.variant_marker import UnreadableMarker, is_text, resolved, with_marker

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

_LONGEST = 10_000
"""Characters of one requirement; the longest markers of real projects have some hundreds."""

_HEAD = r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:\+[^\s\[(<>=!~;@,]*)*)"

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "in": "contains", "not in": "lacks"}
_FALSE = 'python_version < "0"'
"""A marker of today that never holds."""

Holds = Callable[[str, str, str], bool]
"""Compare the value of a selector variable: (variable, operator, literal); `'a' in variable` is "contains"."""


def with_evaluated_markers(text: str, variables: Collection[str], holds: Holds) -> str:
    """Return a requirement whose marker asks for selector variables as one that today's tools read.

    Comparisons of `variables` (`x86_64_version == "x86-64-v3"`) are made by `holds`; what else it says is kept.
    One that cannot be read stays as it is: whoever parses the requirement will say why.
    """

    def compare(left: str, operator: str, right: str) -> bool:
        if not is_text(right if left in variables else left):
            raise UnreadableMarker("two variables")
        if left in variables:
            return holds(left, operator, right[1:-1])
        return holds(right, _MIRRORED.get(operator, operator), left[1:-1])

    try:
        head, rest = resolved(text, variables, compare)
    except (UnreadableMarker, RecursionError):
        return text
    return head if rest is True else with_marker(head, rest or _FALSE)


class TaggedRequirement(msgspec.Struct, frozen=True):
    """A PEP 508 requirement whose wheel must carry the extra `tags`; with no tags, a plain requirement.

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
        from packaging.requirements import Requirement  # not at the top: it costs as much as a small wheel

        if len(text) > _LONGEST:
            raise UsageError(
                f"requirement {text[:60]!r}... has {len(text)} characters", hint=f"write at most {_LONGEST} characters"
            )
        head = re.match(_HEAD, text)
        tags = tuple(head[2].split("+")[1:]) if head else ()
        rest = f"{head[1]} {text[head.end() :]}" if head else text  # the space keeps "foo bar" two words
        try:
            requirement = cls(Requirement(rest), tags)
            str(requirement)  # what cannot be written, such as a version of 5,000 digits, fails here
            return requirement
        except (ValueError, UsageError, RecursionError) as error:  # a version may have more digits than Python reads
            reason = str(error).splitlines()[0]
            raise UsageError(
                f"requirement {text!r} is not valid ({reason})",
                hint="write it as NAME[+TAG][EXTRAS][SPECIFIER][; MARKER], for example 'numpy+pypi==2.0.0'",
            ) from error

    @property
    def project(self) -> NormalizedName:
        """Return the normalised project name."""
        return canonicalize_name(self.plain.name)

    @property
    def pin(self) -> str | None:
        """Return the version if the requirement is an exact pin (one `==` without `.*`), else None."""
        specifiers = list(self.plain.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or specifiers[0].version.endswith(".*"):
            return None
        return specifiers[0].version

    def __str__(self) -> str:
        name = self.plain.name
        return name + "".join(f"+{tag}" for tag in self.tags) + str(self.plain).removeprefix(name)

    def __hash__(self) -> int:
        return hash(str(self))


def check_installable(text: str) -> str:
    """Return a requirement that may stand in a line of a requirements file; raise UsageError for any other text.

    Installers read such a file, and would take `--index-url=...` or a second line for what it looks like.
    """
    if not is_normalized_name(text) and (not text.isprintable() or TaggedRequirement.parse(text).tags):
        raise UsageError(f"requirement {text!r} is not one that installers read", hint="write it as NAME[SPECIFIER]")
    return text
