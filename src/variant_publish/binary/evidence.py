"""Evidence: what a binary shows of one kind of hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from variant_publish.binary.content import Buffer, Found
from variant_publish.binary.image import Image

NAMES = "names its libraries"
"""What shows hardware where a binary has the names of libraries, to load one when it runs."""


class Evidence(msgspec.Struct, frozen=True):
    """What a binary shows of the hardware of one namespace.

    `code` are the values of the provider's feature that its device code is for, `runtimes` the major versions of the
    runtime (CUDA, ROCm) that it can be for, and `why` what shows that; each is empty where nothing does.
    """

    namespace: str
    code: tuple[str, ...] = ()
    runtimes: frozenset[int] = frozenset()
    why: str = ""

    def __bool__(self) -> bool:
        return bool(self.code or self.runtimes or self.why)


class EvidenceReader(Protocol):
    """Whoever finds evidence in binaries: a provider."""

    @property
    def patterns(self) -> Sequence[bytes]:
        """Return what is to be found in the data of binaries."""
        ...

    @property
    def names(self) -> bytes:
        """Return what is to be found in the data of small binaries too: names of libraries."""
        ...

    def evidence(self, data: Buffer, image: Image, found: Found) -> Evidence | None:
        """Return what a binary shows, None where it is nothing."""
        ...
