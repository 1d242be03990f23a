"""The page of each rule, `docs/checks/VPnnn.md`: shipped inside the package, found in a working copy too.

Its heading is the title of the rule. A rule that could be thought of and is not built has a page too, which says why.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from variant_publish.errors import UsageError

_NOT_BUILT = "\n\nNot built\n"


def pages_folder() -> Path:
    """Find the pages: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parents[2]
    inside = package / "checks"
    return inside if inside.is_dir() else package.parents[1] / "docs" / "checks"


@cache
def _pages() -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in sorted(pages_folder().glob("VP*.md"))}


def explain(id_: str) -> str:
    """Return the page of a rule, built or not; UsageError where there is no such rule."""
    page = _pages().get(id_.strip().upper())
    if page is None:
        raise UsageError(f"{id_!r} is the id of no rule", hint="'variant-publish check --list' shows them all")
    return page


def title(id_: str) -> str:
    """Return the title of a rule, which is the heading of its page."""
    return explain(id_).partition("\n")[0].partition(": ")[2]


def not_built() -> dict[str, str]:
    """Return the titles of the rules that have a page only, by id."""
    return {id_: title(id_) for id_, page in _pages().items() if _NOT_BUILT in page}
