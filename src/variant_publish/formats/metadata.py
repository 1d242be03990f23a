"""METADATA of a dist-info folder (core metadata): read headers, change a few, leave every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Self

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.safe_text import visible
from variant_publish.model.url import is_web
from variant_publish.model.variant_marker import VariantMarkers

NAME = "Name"
VERSION = "Version"
REQUIRES_PYTHON = "Requires-Python"
REQUIRES_DIST = "Requires-Dist"
PROVIDES_EXTRA = "Provides-Extra"

_PARSED = tuple(f"{key}:".lower().encode() for key in (NAME, VERSION, REQUIRES_PYTHON, REQUIRES_DIST))

_MANY_HEADERS, _MANY_REQUIREMENTS, _LARGE_REQUIREMENTS = 20_000, 8192, 512 * 1024
"""Headers, requirements, and bytes of all requirements together; acryl-datahub, with the most of all, has half."""
_ODD = re.compile(rb"[0-9]{200}|(?:\([^(]*){100}|.{16384}", re.DOTALL)
"""What no requirement or version has, and what parsers choke on: long numbers, deep brackets, no end."""

_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):[ \t]?(.*(?:\r?\n[ \t].*)*)(?:\r?\n)?")


class Metadata(msgspec.Struct, frozen=True):
    """A METADATA file as its header lines (with continuations, raw) and everything from the blank line on."""

    headers: tuple[bytes, ...]
    body: bytes

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Split the file; raise VariantPublishError where it does not begin with headers or has no Name."""
        headers: list[bytes] = []
        position = 0
        while (match := _HEADER.match(content, position)) and match.end() > position:
            headers.append(match[0])
            position = match.end()
            if len(headers) > _MANY_HEADERS:
                raise _insane(f"more than {_MANY_HEADERS} headers")
        result = cls(tuple(headers), content[position:])
        result._check_sizes()
        for key in (NAME, VERSION):
            if len(result.values(key)) != 1:
                raise VariantPublishError(
                    f"METADATA has {len(result.values(key))} {key} headers instead of one", hint="build the wheel again"
                )
        return result

    def __bytes__(self) -> bytes:
        return b"".join(self.headers) + self.body

    def _check_sizes(self) -> None:
        """Refuse what would take parsers of versions and requirements for ever."""
        found = [header for header in self.headers if header.lower().startswith(_PARSED)]
        if len(found) > _MANY_REQUIREMENTS or sum(map(len, found)) > _LARGE_REQUIREMENTS:
            raise _insane(f"{len(found)} requirements of {sum(map(len, found))} bytes")
        for header in found:
            if _ODD.search(header):
                raise _insane(f"{header[:60].decode('ascii', 'replace')!r}..., which is no requirement or version")

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of a header in their order, unfolded."""
        wanted = key.lower()
        return tuple(value for name, value in map(_split, self.headers) if name.lower() == wanted)

    @property
    def name(self) -> str:
        """Return the project name as it is written."""
        return self.values(NAME)[0]

    @property
    def version(self) -> str:
        """Return the version as it is written."""
        return self.values(VERSION)[0]

    @property
    def requires_python(self) -> str | None:
        """Return the Requires-Python specifier, or None."""
        return next(iter(self.values(REQUIRES_PYTHON)), None)

    @property
    def requires_dist(self) -> tuple[str, ...]:
        """Return the Requires-Dist values."""
        return self.values(REQUIRES_DIST)

    def renamed(self, old: str, new: str) -> Self:
        """Return the metadata of the project `new`: Name, and requirements of a project on its own extras."""
        return self._map(lambda name, value: _rename(name, value, old, new))

    def with_version(self, version: str) -> Self:
        """Return the metadata of another version; requirements of a project on its own extras stay as they are."""
        return self._map(lambda name, value: version if name.lower() == VERSION.lower() else value)

    def with_requires(self, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Self:
        """Return the metadata without the requirements `remove` and with those of `add` that are not there yet.

        A `remove` that is a bare name drops every requirement on that project; any other must equal the whole value.
        New lines come after the last Requires-Dist, else after the last header.
        """
        dropped, wanted = tuple(remove), tuple(dict.fromkeys(add))
        if not dropped and not wanted:
            return self
        kept = [
            header
            for header, (name, value) in zip(self.headers, map(_split, self.headers), strict=True)
            if name.lower() != REQUIRES_DIST.lower() or not any(_same(value, item) for item in dropped)
        ]
        present = {_canonical(value) for value in type(self)(tuple(kept), b"").requires_dist}
        newline = b"\r\n" if kept and kept[-1].endswith(b"\r\n") else b"\n"
        fresh = [f"{REQUIRES_DIST}: {item}".encode() + newline for item in wanted if _canonical(item) not in present]
        if kept and not kept[-1].endswith(b"\n"):
            kept[-1] += newline
        places = [index for index, header in enumerate(kept) if _split(header)[0].lower() == REQUIRES_DIST.lower()]
        place = places[-1] + 1 if places else len(kept)
        return type(self)((*kept[:place], *fresh, *kept[place:]), self.body)

    def replaced(self, old: str, new: str) -> Self:
        """Return the metadata with the Requires-Dist value `old` written as `new`, in its place."""
        return self._map(lambda name, value: new if name.lower() == REQUIRES_DIST.lower() and value == old else value)

    def for_variant(self, markers: VariantMarkers) -> Self:
        """Return the metadata of one variant's wheel: variant markers are resolved, what they exclude is dropped."""
        return self._map(lambda name, value: markers.resolve(value) if name.lower() == REQUIRES_DIST.lower() else value)

    def _map(self, change: Callable[[str, str], str | None]) -> Self:
        """Return the metadata with changed values; None drops a header."""
        headers = []
        for header in self.headers:
            name, value = _split(header)
            changed = change(name, value)
            if changed == value:
                headers.append(header)
            elif changed is not None:
                newline = b"\r\n" if header.endswith(b"\r\n") else b"\n"
                headers.append(f"{name}: {changed}".encode("utf-8", "surrogateescape") + newline)
        return type(self)(tuple(headers), self.body)


def _insane(what: str) -> VariantPublishError:
    return VariantPublishError(f"METADATA has {what}", hint="build the wheel again, with ordinary metadata")


def _split(header: bytes) -> tuple[str, str]:
    name, _, value = header.decode("utf-8", "surrogateescape").partition(":")
    value = value.strip()
    return name, " ".join(value.split()) if "\n" in value else value


def _rename(name: str, value: str, old: str, new: str) -> str:
    if name.lower() == NAME.lower():
        return new
    if name.lower() != REQUIRES_DIST.lower():
        return value
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", value)
    if match is None or canonicalize_name(match[0]) != canonicalize_name(old):
        return value
    return new + value[match.end() :]


def _canonical(requirement: str) -> str:
    try:
        return str(TaggedRequirement.parse(requirement))
    except VariantPublishError:
        return requirement


def _same(value: str, item: str) -> bool:
    try:
        wanted, mine = TaggedRequirement.parse(item), TaggedRequirement.parse(value)
    except VariantPublishError:
        return value == item
    return mine.project == wanted.project if str(wanted) == wanted.plain.name else str(mine) == str(wanted)


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
