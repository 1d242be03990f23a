"""Which CUDA a binary is for: by the libraries that it needs, else by what the compiler left in its device code."""

from __future__ import annotations

import re

from variant_publish.binary.scan import Binary

_SAME = ["cudart", "cublas", "cublasLt", "nvrtc", "nvJitLink", "nvjitlink", "cupti", "nvblas"]
_OTHER: dict[str, dict[int, frozenset[int]]] = {
    "cufft": {10: frozenset({10, 11}), 11: frozenset({12}), 12: frozenset({13})},
    "cufftw": {10: frozenset({10, 11}), 11: frozenset({12}), 12: frozenset({13})},
    "cusolver": {10: frozenset({10}), 11: frozenset({11, 12}), 12: frozenset({13})},
    "cusolverMg": {10: frozenset({10}), 11: frozenset({11, 12}), 12: frozenset({13})},
    "cusparse": {11: frozenset({11}), 12: frozenset({12, 13})},
}
"""Libraries whose major version is not that of CUDA, and which CUDA has which of theirs."""

_ELF = re.compile(r"lib([A-Za-z]+)(?:-[0-9a-f]{6,})?\.so\.([0-9]+)(?:[.0-9]*)")
_DLL = re.compile(r"([a-z]+)64_([0-9]+)(?:_[0-9]+)?\.dll")


def cuda_majors(binary: Binary) -> tuple[frozenset[int], str]:
    """Return the major versions of CUDA that a binary can be for, and what tells it; empty where nothing does."""
    found = [(majors, name) for name in binary.image.needed if (majors := _majors_of(name))]
    if not found:
        return binary.device.cuda_majors, "has device code"
    common = frozenset.intersection(*(majors for majors, _ in found))
    return common or frozenset.union(*(majors for majors, _ in found)), f"needs {', '.join(name for _, name in found)}"


def _majors_of(library: str) -> frozenset[int]:
    match = _ELF.fullmatch(library) or _DLL.fullmatch(library)
    if match is None:
        return frozenset()
    number = int(match[2]) // 10 if len(match[2]) == 3 else int(match[2])  # cudart64_110.dll, nvrtc64_120_0.dll
    if match[1] in _SAME:
        return frozenset({number})
    return _OTHER.get(match[1], {}).get(number, frozenset())
