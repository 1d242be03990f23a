"""Addresses: what may be shown of them, and which of them a page may link."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

from variant_publish.errors import VariantPublishError

HTTP = ("http", "https")
_MAY_LINK = {"https": ("https",), "http": HTTP, "file": ("file", *HTTP)}
"""Which schemes a page may link: a server names no file of this machine, and https does not fall back to http."""

_FILE = r"([^#]*/)?((?:[A-Za-z0-9_]|%2B)(?:[A-Za-z0-9_.+!~-]|%2B){0,254})"
"""A folder, and a name in it that is right wherever the folder is: pages link thousands of files of one folder."""
_ODD = r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\u202a-\u202e\u2066-\u2069]"

_LOGIN = r"(?:(?<=//)|(?<=http:)|(?<=https:))(?:[^/@\s:]*:(?![0-9]+/)[^@\s]*/[^@\s]*@|[^/\s]*@)"
"""What stands before the last "@" of a server; a password that is not escaped may hold "@" or "/"."""


class InvalidAddress(VariantPublishError):
    """Report an address that a page must not link."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the address {redact(url)[:200]!r} {reason}", hint="correct the page of the index")


def redact(text: str) -> str:
    """Return text without the user names and passwords of the URLs in it."""
    return re.sub(_LOGIN, "", text)


def fault_of_address(url: str, *, is_shown: bool) -> str:
    """Return what is wrong with an address of a configuration, "" for nothing; it is never part of the answer.

    One that `is_shown`, on pages and in logs, holds no password: no user name, no query, nothing after a space.
    """
    if url.startswith("file:"):
        return ""
    if re.search(_ODD, url):
        return "has a space, or another character that no URL has"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    if is_shown and "@" in parts.netloc:
        return "has a user name or a password, which everybody would see"
    if is_shown and (parts.query or parts.fragment):
        return "has a query or a fragment, which everybody would see"
    return ""


def is_web(url: str) -> bool:
    """Return whether a text is an absolute http or https URL."""
    try:
        parts = _split(url)
    except InvalidAddress:
        return False
    return parts.scheme in HTTP


def check_link(url: str) -> str:
    """Return a relative link or an http, https or file URL; raise InvalidAddress for others, and for a UNC path."""
    match = re.fullmatch(_FILE, url)
    _check_link(f"{match[1] or ''}x" if match else url)
    return url


@lru_cache(1024)
def _check_link(url: str) -> None:
    parts = _split(url)
    if parts.scheme == "file":
        path = unquote(parts.path)
        if parts.netloc not in ("", "localhost") or path.startswith("//") or "\\" in path or "\0" in path:
            raise InvalidAddress(url, "is not a file of this machine")
    elif not parts.scheme and (parts.netloc or url.startswith("//")):
        raise InvalidAddress(url, "is not relative to its page")
    elif parts.scheme and parts.scheme not in HTTP:
        raise InvalidAddress(url, "is not an http, https or file URL")


def resolve(base: str, link: str) -> str:
    """Return what a page at `base` links, absolute and without fragment.

    Raises InvalidAddress where such a page may not link it: the page of a server names no file of this machine, one
    over https nothing over http, and none a file of another machine.
    """
    if match := re.fullmatch(_FILE, link):
        return _resolved(base, f"{match[1] or ''}x")[:-1] + match[2]
    return _resolved(base, link)


@lru_cache(1024)
def _resolved(base: str, link: str) -> str:
    try:
        full = urldefrag(urljoin(base, link)).url
        scheme = urlsplit(base).scheme
    except ValueError as error:
        raise InvalidAddress(link, "is not a URL") from error
    if check_link(full) and urlsplit(full).scheme not in _MAY_LINK.get(scheme, ()):
        raise InvalidAddress(full, f"must not stand on a page over {scheme}")
    return full


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port or True)
    except ValueError as error:
        raise InvalidAddress(url, "is not a URL") from error
    if re.search(_ODD, url) or len(url) > _LONGEST:
        raise InvalidAddress(url, "has characters that no URL has")
    if parts.scheme in HTTP and not has_host:
        raise InvalidAddress(url, "names no host")
    return parts


_LONGEST = 8_000
