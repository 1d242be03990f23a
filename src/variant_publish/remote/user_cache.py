"""The folder of this user in which copies of what lies elsewhere are kept between runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = "variant-publish"


def user_cache(environ: Mapping[str, str]) -> Path:
    """Return the folder of the cache: under XDG_CACHE_HOME, else where the system keeps such things."""
    home = Path.home()
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / FOLDER
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / FOLDER / "Cache"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / FOLDER
