"""Environments to install into: an empty one, and clients that see no index but those of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.wheels import make_wheel

PLAIN = "foo-1.0-py3-none-any.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["{dialect}"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
"""


def isolate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Return pip and uv no configuration, own caches, and an empty folder as the default index; give that folder."""
    default = folder / "default-index"
    default.mkdir()
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name == "VIRTUAL_ENV":
            monkeypatch.delenv(name)
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": default.as_uri(),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_NO_COMPILE": "1",
        "UV_NO_CONFIG": "1",
        "UV_DEFAULT_INDEX": default.as_uri(),
        "UV_CACHE_DIR": str(folder / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    return default


def make_environment(folder: Path) -> Path:
    """Make a virtual environment without pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


def site(environment: Path) -> Path:
    """Return the site-packages folder of an environment."""
    return next(iter(environment.glob("lib/python*/site-packages")), environment / "Lib" / "site-packages")


def publish(default: Path, filename: str, **content: object) -> None:
    """Put a wheel on the default index."""
    project = default / filename.partition("-")[0]
    make_wheel(project, filename, **content)  # type: ignore[arg-type]
    links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted(project.glob("*.whl")))
    (project / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n", "utf-8")
