"""Device code of NVIDIA GPUs inside a binary: which architectures, as machine code (cubin) or as PTX.

nvcc puts "fat binaries" into `.nv_fatbin` and `__nv_relfatbin`, libraries such as cuBLAS keep more of them elsewhere:
so a container is known by its magic number. Its entries say kind, architecture and flags before their (often
compressed) payload, so nothing is decompressed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Self

import msgspec

from variant_publish.binary.content import Buffer, Found, search

MAGIC = re.escape(struct.pack("<L", 0xBA55ED50))
_CONTAINER = struct.Struct("<LHHQ")
_ENTRY = struct.Struct("<2HLQ2L2HL2LQ")
_PTX, _CUBIN = 1, 2
_ARCH_SPECIFIC, _FAMILY_SPECIFIC = 0x100000, 0x200000
_PTX_TO_CUDA = 4
"""PTX 7 came with CUDA 11, PTX 8 with CUDA 12, PTX 9 with CUDA 13."""

_MANY_ENTRIES = 1 << 18
"""libtorch_cuda.so has some 10,000."""

_TOOLKIT = rb"Cuda compilation tools, release ([0-9]{1,3})\.([0-9]{1,3})"
DEVICE_CODE = (MAGIC,)
"""What is to be found in a binary."""

_VALUE = re.compile(r"([0-9]+)([af]?)_(real|virtual)")


Version = tuple[int, int]
"""MAJOR.MINOR."""


class DeviceCode(msgspec.Struct, frozen=True, order=True):
    """One kind of device code: `arch` is 90 for compute capability 9.0, `suffix` "a" or "f" where it has one."""

    arch: int
    suffix: str
    is_ptx: bool

    @property
    def value(self) -> str:
        """Return the value of the property `nvidia :: sm_arch`: "90_real" for cubins, "90_virtual" for PTX."""
        return f"{self.arch}{self.suffix}_{'virtual' if self.is_ptx else 'real'}"

    @classmethod
    def parse(cls, value: str) -> DeviceCode | None:
        """Read such a value; None for anything else."""
        match = _VALUE.fullmatch(value)
        return cls(int(match[1]), match[2], match[3] == "virtual") if match else None

    def __str__(self) -> str:
        return f"{'compute' if self.is_ptx else 'sm'}_{self.arch}{self.suffix}"


class DeviceImages(msgspec.Struct, frozen=True):
    """The device code of a binary: each kind once, sorted, and what tells the CUDA that compiled it.

    `ptx` are the versions of the PTX language, `toolkits` those that the compiler left in clear text.
    """

    codes: tuple[DeviceCode, ...] = ()
    ptx: tuple[Version, ...] = ()
    toolkits: tuple[Version, ...] = ()

    @classmethod
    def of(cls, data: Buffer, found: Found) -> Self:
        """Read what lies where DEVICE_CODE was found in a binary."""
        entries = set(_entries(data, (place for place, _ in found[MAGIC])))
        texts = search(data, (_TOOLKIT,), ((0, len(data)),)) if entries else ()  # they lie in the containers
        toolkits = {(int(match[1]), int(match[2])) for _, match in islice(texts, _MANY_ENTRIES)}
        return cls(
            tuple(sorted({code for code, _ in entries})),
            tuple(sorted({version for code, version in entries if code.is_ptx})),
            tuple(sorted(toolkits)),
        )

    @property
    def cuda_majors(self) -> frozenset[int]:
        """Return the major versions of CUDA that the code was compiled by, as far as it tells."""
        return frozenset({major for major, _ in self.toolkits} or {major + _PTX_TO_CUDA for major, _ in self.ptx})


def _entries(data: Buffer, places: Iterable[int]) -> Iterator[tuple[DeviceCode, Version]]:
    """Return the entries of all containers; in a file with more than a compiler makes, of the first ones."""
    every = chain.from_iterable(_container(data, place) for place in places)
    return filter(None, islice(every, _MANY_ENTRIES))


def container_end(data: Buffer, start: int) -> int:
    """Return where the container ends that begins at a place; the place itself where none does."""
    head = data[start : start + _CONTAINER.size]
    if len(head) < _CONTAINER.size:
        return start
    _, version, header, size = _CONTAINER.unpack(head)
    end: int = start + header + size
    return start if version != 1 or header != _CONTAINER.size or end > len(data) else end


def _container(data: Buffer, start: int) -> Iterator[tuple[DeviceCode, Version] | None]:
    """Return the entries of one container; the magic number may stand anywhere by chance, so odd ones end it."""
    end = container_end(data, start)
    place = start + _CONTAINER.size
    while place + _ENTRY.size <= end:
        fields = _ENTRY.unpack(data[place : place + _ENTRY.size])
        kind, _, length, payload, _, _, minor, major, arch, _, _, flags = fields
        if length < _ENTRY.size or place + length + payload > end:
            return
        is_code = kind in (_PTX, _CUBIN) and 10 <= arch < 1000
        suffix = "a" if flags & _ARCH_SPECIFIC else "f" if flags & _FAMILY_SPECIFIC else ""
        yield (DeviceCode(arch, suffix, kind == _PTX), (major, minor)) if is_code else None
        place += length + payload
