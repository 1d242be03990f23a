"""Files of this machine that an index may stand for: folders, and `file:` addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from variant_publish.errors import UsageError
from variant_publish.model.url import HTTP, check_link, redact


def folder_of(place: str) -> Path:
    """Return the folder or file of a path or a `file:` URL; raise UsageError for other schemes.

    `file:dist-index`, as configurations write it, is relative; `file:///srv/index` is not.
    """
    from urllib.request import url2pathname  # not at the top: it brings all of http.client, and most runs read no URL

    parts = urlsplit(place)
    if parts.scheme == "file":
        check_link(place)
        return Path(url2pathname(urlunsplit(("", "", parts.path, "", ""))))
    if "://" in place:
        raise UsageError(f"index {redact(place)!r} is not a URL that can be read", hint="use https:, file: or a folder")
    return Path(place)


def is_on_server(index: str) -> bool:
    """Return whether an index is read over http or https; any other one is a folder."""
    return urlsplit(index).scheme in HTTP


def local_path(url: str) -> Path | None:
    """Return the file of a `file:` URL; None for any other URL."""
    return folder_of(url) if urlsplit(url).scheme == "file" else None
