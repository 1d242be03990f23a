"""Evidence: what a binary shows of one kind of hardware."""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

from variant_publish.binary.content import Buffer, search
from variant_publish.binary.image import Image

_SMALL = 32 * 1024 * 1024


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

    def evidence(self, data: Buffer, image: Image) -> Evidence | None:
        """Return what a binary shows, None where it is nothing."""
        ...


def names_in(data: Buffer, names: bytes) -> str:
    """Return the words "names its libraries" where a binary has such a name, to load one when it runs.

    What loads libraries by name is small; a large library is not searched for names.
    """
    is_named = len(data) <= _SMALL and next(search(data, re.compile(names), 64), None) is not None
    return "names its libraries" if is_named else ""
