"""Run the real uv: no network, no configuration, a cache of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

PREVIEW = ("--preview-features", "wheel-variants")
"""Without it uv takes the plain wheel silently."""

_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP")


def uv(
    *args: str | Path, env: Mapping[str, str] | None = None, cache: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run uv and give the finished process, whatever its exit status; `env` is added to a bare environment."""
    from uv import find_uv_bin

    bare = {name: os.environ[name] for name in _KEPT if name in os.environ}
    bare |= {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    where = ["--cache-dir", str(cache)] if cache is not None else ["--no-cache"]
    return subprocess.run(
        [find_uv_bin(), *map(str, args), *where],
        env={**bare, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
