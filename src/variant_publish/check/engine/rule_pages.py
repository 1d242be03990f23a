"""The page of each rule, `docs/checks/VPnnn.md`: shipped inside the package, found in a working copy too.

A rule that could be thought of and is not built has a page too, which says why.
"""

from __future__ import annotations

from pathlib import Path

from variant_publish.check.engine.registry import RULES
from variant_publish.errors import UsageError


def pages_folder() -> Path:
    """Find the pages: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parents[2]
    inside = package / "checks"
    return inside if inside.is_dir() else package.parents[1] / "docs" / "checks"


def explain(id_: str) -> str:
    """Return the page of a rule, built or not; UsageError where there is no such rule."""
    wanted = id_.strip().upper()
    if not any(rule.id == wanted for rule in RULES) and wanted not in not_built():
        raise UsageError(f"{id_!r} is the id of no rule", hint="'variant-publish check --list' shows them all")
    return (pages_folder() / f"{wanted}.md").read_text("utf-8")


def not_built() -> dict[str, str]:
    """Return the titles of the rules that have a page only, by id."""
    built = {rule.id for rule in RULES}
    pages = sorted(path for path in pages_folder().glob("VP*.md") if path.stem not in built)
    heads = (path.read_text("utf-8").partition("\n")[0] for path in pages)
    return {path.stem: head.partition(": ")[2] for path, head in zip(pages, heads, strict=True)}
