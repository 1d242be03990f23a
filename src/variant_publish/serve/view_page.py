"""The page of a project as HTML (PEP 503) and JSON (PEP 691), with what PEP 592, 658, 700 and 714 add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from variant_publish.formats.simple import IndexFile
from variant_publish.serve.projects import SeenProject, passes_through
from variant_publish.view.view import ViewFile

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
TEXT = "text/html"


def entries(seen: SeenProject, base: str) -> Iterator[IndexFile]:
    """Return what the page lists; files that a client cannot take from where they are have URLs below `base`.

    A rewritten wheel has no hash here: it is made when it is asked for.
    """
    for file in seen.view.files:
        yield _entry(file, f"{base}{quote(file.filename)}")


def _entry(file: ViewFile, own: str) -> IndexFile:
    source = file.source
    if file.is_rewritten:
        return IndexFile(
            file.filename, own, file.sha256, requires_python=source.requires_python, upload_time=source.upload_time,
            yanked=source.yanked, serves_metadata=True,
        )  # fmt: skip
    if file.filename == source.filename and not passes_through(source.url):
        return source
    return replace(source, filename=file.filename, url=own, provenance=None)


def json_page(project: str, listed: list[IndexFile], versions: list[str]) -> str:
    """Return the page of PEP 691; it is of version 1.1 (PEP 700) where every file has a size."""
    sized = all(file.size is not None for file in listed)
    data: dict[str, Any] = {
        "meta": {"api-version": "1.1" if sized else "1.0"},
        "name": project,
        "versions": versions,
        "files": [file.table() for file in listed],
    }
    return json.dumps(data, ensure_ascii=False)


def html_page(project: str, listed: list[IndexFile]) -> str:
    """Return the page of PEP 503."""
    title = f"Links for {escape(project)}"
    links = "".join(f"<a {' '.join(_attributes(file))}>{escape(file.filename)}</a><br>\n" for file in listed)
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><meta name="pypi:repository-version" content="1.0">'
        f"<title>{title}</title></head><body>\n<h1>{title}</h1>\n{links}</body></html>\n"
    )


def _attributes(file: IndexFile) -> Iterator[str]:
    digest = f"#sha256={file.sha256}" if file.sha256 else ""
    yield f'href="{escape(file.url + digest)}"'
    if file.requires_python is not None:
        yield f'data-requires-python="{escape(file.requires_python)}"'
    if file.metadata_url is not None:
        value = f"sha256={file.metadata_sha256}" if file.metadata_sha256 else "true"
        yield f'data-core-metadata="{value}" data-dist-info-metadata="{value}"'
    if file.yanked is not None:
        yield f'data-yanked="{escape(file.yanked)}"'
