"""Evidence: what a binary shows of one kind of hardware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from variant_publish.binary.content import Buffer
from variant_publish.binary.image import Image


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a binary shows of the hardware of one namespace.

    `code` are the values of the provider's feature that its device code is for, `runtimes` the major versions of the
    runtime (CUDA, ROCm) that it can be for, and `why` what shows that; each is empty where nothing does.
    """

    namespace: str
    code: tuple[str, ...] = ()
    runtimes: frozenset[int] = frozenset()
    why: str = ""

    def __bool__(self) -> bool:
        return bool(self.code or self.runtimes)


class EvidenceReader(Protocol):
    """Whoever finds evidence in binaries: a provider."""

    def evidence(self, data: Buffer, image: Image) -> Evidence | None:
        """Return what a binary shows, None where it is nothing."""
        ...
