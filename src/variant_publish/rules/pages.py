"""The page of each rule, `docs/checks/VPnnn.md`: shipped inside the package, found in a working copy too."""

from __future__ import annotations

from pathlib import Path

from variant_publish.errors import UsageError
from variant_publish.rules.registry import RULES


def pages_folder() -> Path:
    """Find the pages: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parents[1]
    inside = package / "checks"
    return inside if inside.is_dir() else package.parents[1] / "docs" / "checks"


def explain(id_: str) -> str:
    """Give the page of a rule; UsageError where there is no such rule."""
    wanted = id_.strip().upper()
    if not any(rule.id == wanted for rule in RULES):
        raise UsageError(f"{id_!r} is the id of no rule", hint="'variant-publish check --list' shows them all")
    return (pages_folder() / f"{wanted}.md").read_text("utf-8")
