"""Project pages of the simple API, HTML and JSON, as the entries that clients read (PEP 503, 592, 629, 658, 691, 714).

A file is called as its link is, as pip and uv have it: what stands between the tags is for people. An entry that no
index may have (see `IndexFile`) is left out, as pip does with names that it cannot read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile, InvalidEntry
from variant_publish.formats.typed import from_json
from variant_publish.model.quantity import count
from variant_publish.model.url import InvalidAddress, resolve

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_JSON = ("application/vnd.pypi.simple.v1+json", "application/json")
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml")

_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")

_TAG = re.compile(r"<([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
_OPEN_QUOTE = re.compile(r"""\s*=\s*["']""")
_CLOSING = {name: re.compile(rf"(?i)</{name}[\s/>]") for name in ("script", "style", "textarea", "title")}


class InvalidPage(VariantPublishError):
    """Report what is no page of the simple API, one of a later major version, or one without an entry that is right."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, hint="name a simple repository, such as https://HOST/simple")


class _Page(msgspec.Struct, frozen=True):
    meta: Mapping[str, Any]
    files: Sequence[Any]


def parse_page(content: bytes, url: str, content_type: str = "text/html") -> tuple[IndexFile, ...]:
    """Return the files of a project page that was found at `url`, with absolute addresses.

    Raises InvalidPage where the content is something else than its type says, or where there are wheels and sdists and
    none of them is an entry that an index may have.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (*_JSON, *_HTML):
        raise InvalidPage(f"the page has the content type {content_type[:80]!r}, which is not one of the simple API")
    found: list[IndexFile] = []
    faults: list[str] = []
    for table, base in _of_json(content, url) if kind in _JSON else _of_html(content.decode("utf-8", "replace"), url):
        try:
            found.append(IndexFile.parse({**table, "url": resolve(base, table["url"].strip())}))
        except (InvalidEntry, InvalidAddress) as error:
            if str(table["filename"]).endswith(_DISTRIBUTIONS):
                faults.append(error.message)
    if faults and not found:
        raise InvalidPage(f"none of its {count(len(faults), 'file')} can be used: {faults[0]}")
    return tuple(found)


def _of_json(content: bytes, url: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    data = from_json(content, _Page, lambda reason: InvalidPage(f"the page is not PEP 691 JSON ({reason})"))
    _check_version(str(data.meta.get("api-version", "0")))
    for table in data.files:
        if isinstance(table, dict) and isinstance(table.get("url"), str):
            yield {"filename": "", **table}, url


def _of_html(text: str, url: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    base = url
    for name, attributes in _tags(text):
        if name == "meta" and attributes.get("name") == "pypi:repository-version":
            _check_version(attributes.get("content", ""))
        elif name == "base" and base == url and "href" in attributes:
            base = _joined(url, attributes["href"])
        elif name == "a" and "href" in attributes:
            yield _table(attributes), base


def _table(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON object (PEP 691) that says what the link does."""
    link, _, fragment = attributes["href"].partition("#")
    hashes = {name: values[0] for name, values in parse_qs(fragment, max_num_fields=20).items()} if fragment else {}
    metadata = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
    digest = (metadata or "").partition("=")
    return {
        "filename": unquote(link.partition("?")[0].rpartition("/")[2]),
        "url": link,
        "hashes": hashes,
        "requires-python": attributes.get("data-requires-python"),
        "core-metadata": {digest[0]: digest[2]} if digest[2] else metadata is not None,
        "yanked": attributes.get("data-yanked", False),
        "provenance": attributes.get("data-provenance"),
    }


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link) if urlsplit(urljoin(url, link)).scheme == urlsplit(url).scheme else url
    except ValueError:
        return url


def _check_version(text: str) -> None:
    major = text.partition(".")[0]
    if text and major != "1":
        raise InvalidPage(f"the page has version {text[:20]} of the simple API, and this program reads version 1")


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the start tags with their attributes, in one pass over the text.

    `html.parser` of the Pythons that are in use needs minutes for 100 kB of open tags; this reads each letter a few
    times, whatever the text is.
    """
    position = text.find("<")
    while position >= 0:
        if text.startswith("<!--", position):
            end = text.find("-->", position + 4)
            position = -1 if end < 0 else text.find("<", end)
            continue
        match = _TAG.match(text, position)
        if match is None:
            position = text.find("<", position + 1)
            continue
        name = match[1].lower()
        attributes, end = _attributes(text, match.end())
        if end < 0:
            return
        yield name, attributes
        if name in _CLOSING:
            closing = _CLOSING[name].search(text, end)
            end = len(text) if closing is None else closing.end()
        position = text.find("<", end)


def _attributes(text: str, position: int) -> tuple[dict[str, str], int]:
    """Return the attributes of a tag from a position on, the first of each name, and where it ends; -1 for never."""
    found: dict[str, str] = {}
    while (match := _ATTRIBUTE.match(text, position)) is not None:
        position = match.end()
        value = next((value for value in match.groups()[1:] if value is not None), "")
        if not value and _OPEN_QUOTE.match(text, position):
            return found, -1
        found.setdefault(match[1].lower(), _unescaped(value))
    end = text.find(">", position)
    return found, end if end < 0 else end + 1


def _unescaped(value: str) -> str:
    try:
        return html.unescape(value)
    except ValueError:  # a character reference with thousands of digits
        return value
