"""Preflight: what can be known before the first byte is sent, so that nothing stops a release half-way."""

from __future__ import annotations

from pathlib import Path

from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError
from variant_publish.model.url import redact
from variant_publish.progress import Reporter
from variant_publish.release.acceptance import refusals_of_metadata
from variant_publish.remote.files import read_url
from variant_publish.remote.transport import IndexUnavailable
from variant_publish.store.objects import CANARY
from variant_publish.store.store import Store

_SANE_PAGE = 64 * 1024 * 1024


def check_public_url(store: Store, public_url: str, reporter: Reporter) -> None:
    """Warn where the public address does not serve what was written to the store.

    It is no error: an address can be made public after the upload.
    """
    written = store.read(CANARY)
    if written is None:  # a folder is served by whoever serves it
        return
    try:
        served = read_url(f"{public_url.rstrip('/')}/{CANARY}", _SANE_PAGE)
    except IndexUnavailable as error:
        reporter.warn(f"users cannot read the extra index there: {error.message}")
        return
    if served != written.content:
        reporter.warn(f"{redact(public_url)} serves something else than {store.describe()}: correct upload.public-url")


def check_metadata(path: Path) -> None:
    """Raise VariantPublishError with everything in a wheel's METADATA that a public repository refuses."""
    if path.name.endswith(".whl") and (reasons := refusals_of_metadata(WholeWheel.read(path).info["METADATA"])):
        raise VariantPublishError(
            f"{path}: the repository would refuse its metadata ({'; '.join(reasons)})",
            hint="correct it and build the wheel again",
        )
