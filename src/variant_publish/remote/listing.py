"""Read a package index: a simple repository over HTTP, the same as files, or a flat folder of wheels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from variant_publish.dialects.registry import selector_patterns
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.page import ACCEPT, parse_page
from variant_publish.formats.simple import IndexFile, InvalidEntry
from variant_publish.remote.local import folder_of, is_on_server
from variant_publish.remote.transport import IndexUnavailable, Transport

PAGE_LIMIT = 128 * 1024 * 1024
"""Bytes of one project page; the largest on PyPI have some tens of megabytes."""

_JSON = "application/vnd.pypi.simple.v1+json"


def read_project(index: str, project: str, transport: Transport | None = None) -> tuple[IndexFile, ...]:
    """Return the files of a project on an index, with absolute URLs; an empty tuple where the project is not there.

    `index` is the URL of a simple repository, a `file:` URL or a folder: one with NAME/index.json or NAME/index.html,
    or a flat folder of wheels. Entries that no index may have are left out. `transport` keeps connections from one
    call to the next. Raises IndexUnavailable for every other trouble.
    """
    name = canonicalize_name(project)
    if is_on_server(index):
        return _read_http(f"{index.rstrip('/')}/{name}/", transport or Transport())
    folder = folder_of(index)
    if not folder.is_dir():
        raise IndexUnavailable(index, "there is no such folder", hint="name an existing folder, or a URL")
    try:
        return _read_folder(folder, name)
    except OSError as error:
        raise IndexUnavailable(index, str(error)) from error


def _read_http(url: str, transport: Transport) -> tuple[IndexFile, ...]:
    answer = transport.get(url, PAGE_LIMIT, headers={"Accept": ACCEPT}, accept=(404,))
    if answer.status == 404:
        return ()
    return _parsed(answer.content, answer.url, answer.headers.get("Content-Type", ""))


def _read_folder(folder: Path, name: NormalizedName) -> tuple[IndexFile, ...]:
    for page, kind in ((folder / name / "index.json", _JSON), (folder / name / "index.html", "text/html")):
        if page.is_file():
            with page.open("rb") as stream:
                content = stream.read(PAGE_LIMIT + 1)
            if len(content) > PAGE_LIMIT:
                raise IndexUnavailable(str(page), f"it has more than {PAGE_LIMIT} bytes")
            return _parsed(content, page.resolve().as_uri(), kind)
    return tuple(_flat(folder, name))


def _parsed(content: bytes, url: str, kind: str) -> tuple[IndexFile, ...]:
    try:
        return parse_page(content, url, kind)
    except VariantPublishError as error:
        raise IndexUnavailable(url, error.message, hint=error.hint) from error


def _flat(folder: Path, name: NormalizedName) -> Iterator[IndexFile]:
    # The prefixes tell one project's selector files from another's: a wheel's name is unambiguous, theirs are not.
    found: dict[Path, None] = {}
    prefixes = set()
    for path in sorted(folder.glob("*.whl")):
        wheel = WheelName.find(path.name)
        if wheel is not None and wheel.project == name:
            found[path] = None
            prefixes.add((name, str(wheel.parsed_version)))
    for pattern in selector_patterns():
        for path in sorted(folder.glob(pattern)):
            distribution, version = path.name.removesuffix(pattern[1:]).rpartition("-")[::2]
            if (canonicalize_name(distribution), version) in prefixes:
                found[path] = None
    for path in found:
        try:
            yield IndexFile(path.name, path.resolve().as_uri(), "", size=path.stat().st_size)
        except InvalidEntry:
            continue
