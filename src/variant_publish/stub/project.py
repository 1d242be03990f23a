"""What `[project]` of a pyproject.toml says of a project, for an sdist that has no wheel to take it from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from variant_publish.errors import UsageError
from variant_publish.formats import toml
from variant_publish.formats.metadata import Metadata

_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}


def metadata_of(pyproject: Path | None, name: str, version: str) -> Metadata:
    """Return name, version, what `[project]` (PEP 621) says for certain: summary, README, URLs, extras and so on."""
    table = read_project_table(pyproject) if pyproject is not None else {}
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}", *_headers(table)]
    body = ""
    readme = table.get("readme")
    file = readme.get("file") if isinstance(readme, dict) else readme
    if isinstance(file, str) and pyproject is not None and (path := pyproject.parent / file).is_file():
        lines.append(f"Description-Content-Type: {_TYPES.get(path.suffix.lower(), 'text/plain')}")
        body = path.read_text("utf-8")
    return Metadata.parse(("\n".join(lines) + "\n\n" + body).encode())


def read_project_table(pyproject: Path) -> Mapping[str, Any]:
    """Return the table `[project]`, empty where there is none; UsageError where the file cannot be read."""
    try:
        table = toml.loads(pyproject.read_text("utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{pyproject} cannot be read ({error})", hint="name the release as NAME==VERSION") from error
    return table if isinstance(table, dict) else {}


def _headers(table: Mapping[str, Any]) -> Iterator[str]:
    if description := table.get("description"):
        yield f"Summary: {' '.join(str(description).split())}"
    if keywords := table.get("keywords"):
        yield f"Keywords: {','.join(keywords)}"
    yield from (f"Classifier: {item}" for item in table.get("classifiers", ()))
    yield from (f"Project-URL: {label}, {url}" for label, url in table.get("urls", {}).items())
    yield f"Requires-Python: {table.get('requires-python', '>=3.9')}"
    yield from (f"Provides-Extra: {extra}" for extra in table.get("optional-dependencies", {}))
