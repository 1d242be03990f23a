"""Preflight: what can be known before the first byte is sent, so that nothing stops a release half-way."""

from __future__ import annotations

from pathlib import Path

from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError
from variant_publish.release.acceptance import refusals_of_metadata


def check_metadata(path: Path) -> None:
    """Raise VariantPublishError with everything in a wheel's METADATA that a public repository refuses."""
    if path.name.endswith(".whl") and (reasons := refusals_of_metadata(WholeWheel.read(path).info["METADATA"])):
        raise VariantPublishError(
            f"{path}: the repository would refuse its metadata ({'; '.join(reasons)})",
            hint="correct it and build the wheel again",
        )
