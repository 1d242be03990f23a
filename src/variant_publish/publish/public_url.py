"""The public address of an index: whether users can read there what was published."""

from __future__ import annotations

import hashlib

from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.remote.transport import IndexUnavailable, Transport
from variant_publish.store.folder import LocalStore
from variant_publish.store.store import Store

_LARGEST = 64 * 1024 * 1024
_DENIED = (401, 403)


def fault_of_public_url(store: Store, public_url: str, project: str, entries: list[IndexFile]) -> str:
    """Return why users cannot read a project at the public address, and what to do; "" if they can.

    The page is asked for, and METADATA of one wheel that lies in the store. A folder is served by whoever serves it.
    """
    if isinstance(store, LocalStore):
        return ""
    root = f"{public_url.rstrip('/')}/{project}/"
    wheel = next((entry for entry in entries if entry.is_hosted and entry.metadata_sha256), None)
    asked = [(root, "")]
    if wheel is not None:
        asked.append((f"{root}{wheel.url}.metadata", wheel.metadata_sha256 or ""))
    transport = Transport()
    return next(filter(None, (_fault(transport, store, url, sha256) for url, sha256 in asked)), "")


def _fault(transport: Transport, store: Store, url: str, sha256: str) -> str:
    try:
        answer = transport.get(url, _LARGEST, accept=(*_DENIED, 404))
    except IndexUnavailable as error:
        return f"users cannot read the index there: {error.message}"
    if answer.status in _DENIED:
        why = f"answers {answer.status}, so users cannot read what was published"
        return f"{redact(url)} {why}: {store.how_to_open()}"
    if answer.status == 404 or (sha256 and hashlib.sha256(answer.content).hexdigest() != sha256):
        what = "does not serve" if answer.status == 404 else "serves something else than"
        return f"{redact(url)} {what} what is in {store.describe()}: correct upload.public-url"
    return ""
