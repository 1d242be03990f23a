"""Evidence: what a binary shows of one kind of hardware; the CUDA or ROCm that it is for, by the libraries it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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


Majors = Mapping[str, Mapping[int, frozenset[int]] | None]
"""A library's name -> its major version -> those of the runtime that it belongs to; None where they are the same."""

_FFT = {10: frozenset({10, 11}), 11: frozenset({12}), 12: frozenset({13})}
_SOLVER = {10: frozenset({10}), 11: frozenset({11, 12}), 12: frozenset({13})}

CUDA: Majors = {
    **dict.fromkeys(("cudart", "cublas", "cublasLt", "nvrtc", "nvJitLink", "nvjitlink", "cupti", "nvblas")),
    **dict.fromkeys(("cufft", "cufftw"), _FFT),
    **dict.fromkeys(("cusolver", "cusolverMg"), _SOLVER),
    "cusparse": {11: frozenset({11}), 12: frozenset({12, 13})},
}
ROCM: Majors = {
    "amdhip64": None,
    "hiprtc": None,
    "rocblas": {4: frozenset({6}), 5: frozenset({7})},
    "hipblas": {2: frozenset({6}), 3: frozenset({7})},
}

_ELF = re.compile(r"lib([A-Za-z0-9]+?)(?:-[0-9a-f]{6,})?\.so\.([0-9]{1,6})(?:[.0-9]*)")
_DLL = re.compile(r"([a-z]+)64_([0-9]{1,6})(?:_[0-9]+)?\.dll")


def majors_of(needed: Iterable[str], known: Majors) -> tuple[frozenset[int], str]:
    """Return the major versions that binaries with these needed libraries can be for, and what shows it."""
    found = [(majors, name) for name in needed if (majors := _of_library(name, known))]
    if not found:
        return frozenset(), ""
    common = frozenset.intersection(*(majors for majors, _ in found))
    return common or frozenset.union(*(majors for majors, _ in found)), f"needs {', '.join(name for _, name in found)}"


def _of_library(library: str, known: Majors) -> frozenset[int]:
    match = _ELF.fullmatch(library) or _DLL.fullmatch(library)
    if match is None or match[1] not in known:
        return frozenset()
    number = int(match[2]) // 10 if len(match[2]) == 3 else int(match[2])  # cudart64_110.dll, nvrtc64_120_0.dll
    table = known[match[1]]
    return frozenset({number}) if table is None else table.get(number, frozenset())
