"""The index that installers take where none is named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit


@cache
def pypi() -> str:
    """Return the address of PyPI's simple API, beside the one that twine uploads to."""
    from twine.utils import DEFAULT_REPOSITORY

    return f"https://{(urlsplit(DEFAULT_REPOSITORY).hostname or '').removeprefix('upload.')}/simple/"


def default_index(environ: Mapping[str, str]) -> str:
    """Return the index of the user's environment variables, else PyPI."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    return next((environ[name] for name in names if environ.get(name)), None) or pypi()
