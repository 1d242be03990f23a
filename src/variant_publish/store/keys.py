"""Keys of a store: built from validated parts, so that none leaves the folder it belongs to."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from variant_publish.errors import VariantPublishError

MOST_BYTES = 1024
"""The longest key that S3 takes; the other stores take longer ones."""

_PROJECT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|]|[\ud800-\udfff]")


def key_of(project: str, *parts: str) -> str:
    """Return the key of an object of a project; raise VariantPublishError where a part is no plain name.

    A last part of "" gives the folder itself, with its slash.
    """
    if not _PROJECT.fullmatch(project) or canonicalize_name(project) != project:
        raise VariantPublishError(
            f"{project!r} is not the normalized name of a project", hint="write the name as PEP 503 normalizes it"
        )
    for part in parts[:-1] if parts and not parts[-1] else parts:
        if not is_plain(part):
            raise VariantPublishError(
                f"{project}: {part!r} is not a plain file name", hint="another tool wrote it: remove it from the index"
            )
    return check_key("/".join((project, *parts)))


def is_plain(name: str) -> bool:
    """Return whether a name is that of one file: no separator, nothing that leaves its folder, no control character."""
    return name not in ("", ".", "..") and "/" not in name and not _UNSAFE.search(name) and name.strip() == name


def check_key(key: str) -> str:
    """Return a key; raise VariantPublishError where it could leave the store or name nothing.

    "" and a slash at the end are the keys of a folder's page.
    """
    parts = key.removesuffix("/").split("/") if key else []
    if not all(map(is_plain, parts)) or len(key.encode("utf-8", "replace")) > MOST_BYTES:
        raise VariantPublishError(
            f"{key[:200]!r} cannot be the key of an object", hint="another tool wrote it: remove it from the index"
        )
    return key
