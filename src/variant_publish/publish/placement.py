"""Placements: where each file of a release goes, why, and how it gets there."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from variant_publish.formats.simple import IndexFile


class Destination(StrEnum):
    """A place that files go to."""

    EXTRA_INDEX = "extra-index"
    REPOSITORY = "repository"
    VIEW = "view"


class Transfer(StrEnum):
    """What happens to a file."""

    UPLOAD = "upload"
    SKIP = "skip"
    COPY = "copy"
    """The store makes the file from one that it has; no byte is sent."""


class Placement(msgspec.Struct, frozen=True):
    """One file's destination and the reason; `is_listed` says that the extra index lists the file already."""

    file: str
    size: int
    sha256: str
    destination: Destination
    reason: str
    transfer: Transfer
    is_listed: bool = False

    @classmethod
    def of(
        cls, entry: IndexFile, destination: Destination, reason: str, transfer: Transfer, is_listed: bool
    ) -> Placement:
        """Return the placement of a page entry's file."""
        return cls(entry.filename, entry.size or 0, entry.sha256, destination, reason, transfer, is_listed)

    @property
    def is_sdist(self) -> bool:
        """Return whether the file is not a wheel."""
        return is_sdist(self.file)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            "destination": str(self.destination),
            "reason": self.reason,
            "action": str(self.transfer),
        }


def is_sdist(filename: str) -> bool:
    """Return whether a file is not a wheel."""
    return not filename.endswith(".whl")
