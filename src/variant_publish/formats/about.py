"""What METADATA says of a project for people: summary, licence, links and the Pythons it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Self

import msgspec

from variant_publish.formats.metadata import Metadata
from variant_publish.model.safe_text import visible
from variant_publish.model.url import is_web

_LONGEST = 300
_MOST_LINKS = 8
_UNKNOWN = re.compile(r"(?i)unknown|none|n/a|\s*")


class About(msgspec.Struct, frozen=True, rename="kebab"):
    """One line of text each; `version` is the release that they are of, `links` are labels with web addresses."""

    version: str = ""
    summary: str = ""
    license: str = ""
    requires_python: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        texts = (self.version, self.summary, self.license, self.requires_python, *(one for one, _ in self.links))
        if not all(len(text) <= _LONGEST and visible(text) == text for text in texts):
            raise ValueError("a text about the project is not one line")
        if not all(is_web(url) for _, url in self.links) or len(self.links) > _MOST_LINKS:
            raise ValueError("a link of the project is not http: or https:")

    @classmethod
    def of(cls, content: bytes, version: str) -> Self:
        """Read METADATA; what does not fit into one line is left out."""
        metadata = Metadata.parse(content)
        licenses = (*metadata.values("License-Expression"), *metadata.values("License"))
        return cls(
            version,
            next(map(_line, metadata.values("Summary")), ""),
            next(filter(None, map(_line, licenses)), ""),
            _line(metadata.requires_python or ""),
            tuple(dict(_links(metadata)).items())[:_MOST_LINKS],
        )


def _links(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for value in metadata.values("Project-URL"):
        label, _, url = value.partition(",")
        if _line(label) and is_web(url.strip()):
            yield _line(label), url.strip()
    for url in metadata.values("Home-page"):
        if is_web(url):
            yield "Homepage", url


def _line(text: str) -> str:
    text = visible(" ".join(text.split()))
    return "" if _UNKNOWN.fullmatch(text) or len(text) > _LONGEST else text
