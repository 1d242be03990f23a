"""An installed distribution with entry points, as a folder on `sys.path`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from variant_publish.providers.catalog import GROUP


def distribution(
    folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, entries: Mapping[str, str]
) -> None:
    """Install a module whose distribution is called like it, with these entry points of providers."""
    (folder / f"{module}.py").write_text(text, "utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {target}" for name, target in entries.items())
    info.joinpath("entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
    monkeypatch.syspath_prepend(str(folder))
