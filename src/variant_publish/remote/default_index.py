"""The index that installers take where none is named."""

from __future__ import annotations

from collections.abc import Mapping

from variant_publish.remote.listing import PYPI


def default_index(environ: Mapping[str, str]) -> str:
    """Return the index of the user's environment variables, else the default of everybody."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    return next((environ[name] for name in names if environ.get(name)), PYPI)
