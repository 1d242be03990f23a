"""Templates: pages, the report, starter files and the stub, rendered by Jinja."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from variant_publish.model.safe_text import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def render_template(name: str, **values: object) -> str:
    """Render a template of the package by its path, like "check/report.html"."""
    return _environment().get_template(name).render(**values)


def templates_folder() -> Path:
    """Find the templates: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parents[1] / "templates"


def _shown(value: object) -> object:
    """Return what a template prints: text without control characters, which no escaping of HTML takes away."""
    if not isinstance(value, str):
        return value
    text = visible(value, keep="\n\t")
    return type(value)(text) if text != value else value


@cache
def _environment() -> Environment:
    import jinja2

    options: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        **options,
    )
