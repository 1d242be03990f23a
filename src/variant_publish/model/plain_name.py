"""File names of plain wheels: the binary distribution format (PEP 427), every part validated and bounded."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec.structs import replace
from packaging.version import InvalidVersion, Version

from variant_publish.errors import VariantPublishError
from variant_publish.model.project_name import canonicalize_name

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import NormalizedName

NAME_LIMIT = 255
"""Bytes of a file name: what file systems take."""

_TAGS_LIMIT = 1000
"""Expanded tags of one name; real ones have up to a few dozen."""

_DISTRIBUTION = r"[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9!+._]+"
_BUILD = r"(?:[0-9]{1,18}(?:[A-Za-z_.][A-Za-z0-9_.]*)?)?"
_TAG = r"[A-Za-z0-9_]+"
_HINT = "name it {name}-{version}(-{build})-{python}-{abi}-{platform}.whl"


class InvalidWheelName(VariantPublishError):
    """Report a file name that is no wheel's."""


class PlainName(msgspec.Struct, frozen=True, dict=True):
    """The parts of a plain wheel's file name; `parse(str(name)) == name` and `str(parse(text)) == text`.

    Every part is ASCII without separators, control characters or `..`, and the whole is a file name that any file
    system takes, so it can be joined to a folder. Raises InvalidWheelName.
    """

    distribution: str
    version: str
    build: str
    python: tuple[str, ...]
    abi: tuple[str, ...]
    platform: tuple[str, ...]

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise InvalidWheelName(f"{shortened(str(self))} is not a wheel's file name ({fault})", hint=_HINT)

    def _fault(self) -> str:
        if len(str(self)) > NAME_LIMIT:
            return f"it is longer than {NAME_LIMIT} characters"
        parts = [("name", self.distribution, _DISTRIBUTION), ("version", self.version, _VERSION),
                 ("build tag", self.build, _BUILD)]  # fmt: skip
        parts += [("tag", tag, _TAG) for tag in (*self.python, *self.abi, *self.platform)]
        for what, text, pattern in parts:
            if not re.fullmatch(pattern, text) or ".." in text:
                return f"{text!r} is no {what}"
        if strange := [python for python in self.python if not python.isidentifier()]:
            return f"{strange[0]!r} is no Python tag"
        if len(self.python) * len(self.abi) * len(self.platform) > _TAGS_LIMIT:
            return f"it stands for more than {_TAGS_LIMIT} tags"
        try:
            Version(self.version)
        except InvalidVersion as error:
            return str(error)
        return "its name has two underscores in a row" if "__" in self.distribution else ""

    @classmethod
    @lru_cache(4096)  # the variants of a release have few plain names
    def parse(cls, text: str) -> Self:
        """Parse a file name without a folder."""
        parts = text.removesuffix(".whl").split("-")
        if len(text) > NAME_LIMIT or not text.endswith(".whl") or len(parts) not in (5, 6):
            raise InvalidWheelName(f"{shortened(text)} is not a wheel's file name", hint=_HINT)
        distribution, version, *middle = parts
        build = middle.pop(0) if len(middle) == 4 else ""
        if len(parts) == 6 and not build[:1].isdigit():
            raise InvalidWheelName(
                f"{shortened(text)} is not a wheel's file name ({build!r} is no build tag)", hint=_HINT
            )
        python, abi, platform = (tuple(part.split(".")) for part in middle)
        return cls(distribution, version, build, python, abi, platform)

    def __str__(self) -> str:
        return f"{self.head}-{'.'.join(self.platform)}.whl"

    @property
    def head(self) -> str:
        """Return the name up to the platform tag."""
        build = f"-{self.build}" if self.build else ""
        return f"{self.distribution}-{self.version}{build}-{'.'.join(self.python)}-{'.'.join(self.abi)}"

    @cached_property
    def project(self) -> NormalizedName:
        """Return the normalised project name (PEP 503)."""
        return canonicalize_name(self.distribution)

    @cached_property
    def parsed_version(self) -> Version:
        """Return the version as a comparable value (PEP 440)."""
        return Version(self.version)

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Return the expanded compatibility tags."""
        from packaging.tags import Tag  # not at the top: it loads what a retag needs nothing of

        return frozenset(Tag(*parts) for parts in product(self.python, self.abi, self.platform))

    @property
    def tag_lines(self) -> tuple[str, ...]:
        """Return the `Tag:` values of the WHEEL file: one for each expanded tag, in the order of the name."""
        return tuple("-".join(parts) for parts in product(self.python, self.abi, self.platform))

    def renamed(self, project: str) -> Self:
        """Return the name for another project, escaped as the binary distribution format has it."""
        return replace(self, distribution=canonicalize_name(project).replace("-", "_"))


def shortened(text: str) -> str:
    """Return a file name for a message: quoted, without control characters, cut where it is too long."""
    return repr(text if len(text) <= NAME_LIMIT else f"{text[:100]}...")
