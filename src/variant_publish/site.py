"""The pages of the index (PEP 503, 592, 629, 658/714, 708, 792), rendered from their masters."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.formats.simple import API_VERSION, ProjectIndex, RootIndex
from variant_publish.project_page import href_of, installs, sections

if TYPE_CHECKING:
    from jinja2 import Environment


def render_project(index: ProjectIndex) -> str:
    """Render the page of a project; equal masters give equal bytes."""
    found = sections(index)
    return _environment().get_template("index/project.html").render(
        index=index, sections=found, installs=installs(index, found), href_of=href_of, size_of=readable_size
    )  # fmt: skip


def render_root(root: RootIndex) -> str:
    """Render the list of projects."""
    return _environment().get_template("index/root.html").render(root=root, api_version=API_VERSION)


def render_template(name: str, **values: object) -> str:
    """Render a template of the package by its path, like "check/report.html"."""
    return _environment().get_template(name).render(**values)


def templates_folder() -> Path:
    """Find the templates: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parents[1] / "templates"


def readable_size(size: int) -> str:
    """Write a number of bytes for people."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size >= 10**power:
            return f"{size / 10**power:.1f} {unit}"
    return f"{size} B"


@cache
def _environment() -> Environment:
    import jinja2

    options: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()), autoescape=True, undefined=jinja2.StrictUndefined, **options
    )
