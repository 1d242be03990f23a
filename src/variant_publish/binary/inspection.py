"""Inspection: what a wheel's binaries say of the machines that it is for, and the properties that follow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.cuda import cuda_majors
from variant_publish.binary.fatbin import DeviceCode
from variant_publish.binary.image import Format
from variant_publish.binary.policy import best_policy, is_loader
from variant_publish.binary.scan import Binary, Scan
from variant_publish.binary.x86 import Simd

_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI)_([0-9.]+)")


@dataclass(frozen=True)
class Inspection:
    """What is inside one wheel; `policy` is the platform tag of the oldest Linux that it runs on.

    `level` is the x86-64 level that the code needs, None where there is no evidence; `cuda` are major versions.
    """

    wheel: WholeWheel
    binaries: tuple[Binary, ...]
    architectures: tuple[str, ...]
    codes: tuple[DeviceCode, ...]
    cuda: tuple[int, ...]
    level: int | None
    simd: Simd
    numpy: str | None
    policy: str | None
    newest: tuple[str, ...]
    external: tuple[str, ...]
    macos: tuple[str, ...]

    @classmethod
    def of(cls, wheel: WholeWheel, scan: Scan) -> Self:
        """Sum up a scan."""
        whole = [binary for binary in scan.binaries if binary.fault is None]
        linux = [binary.image for binary in whole if binary.image.format is Format.ELF]
        architectures = tuple(sorted({arch for binary in whole for arch in binary.image.architectures}))
        policy = best_policy(linux, architectures[0]) if linux and len(architectures) == 1 else None
        inside = {name for binary in whole for name in (binary.name, binary.image.soname)}
        system = policy.libraries if policy else frozenset()
        needed = {name for image in linux for name in image.needed if not is_loader(name)}
        numpy = [binary.numpy for binary in whole if binary.numpy]
        return cls(
            wheel=wheel,
            binaries=scan.binaries,
            architectures=architectures,
            codes=tuple(sorted({code for binary in whole for code in binary.device.codes})),
            cuda=_cuda(whole),
            level=_level(whole),
            simd=_united(binary.simd for binary in whole if binary.simd and not binary.is_vendored),
            numpy=".".join(map(str, max(numpy))) if numpy else None,
            policy=policy.tag if policy else None,
            newest=_newest(
                linux_version for image in linux for names in image.versions.values() for linux_version in names
            ),
            external=tuple(sorted(needed - inside - system)),
            macos=tuple(
                sorted({f"{arch} {major}.{minor}" for one in whole for arch, (major, minor) in one.image.macos.items()})
            ),
        )

    @property
    def properties(self) -> tuple[str, ...]:
        """Return the properties that follow from the binaries, as the configuration writes them.

        The lower bound of CUDA is that of its major version: which newer functions of the driver the code calls is in
        no file. Where a wheel holds code for several major versions, none is proposed.
        """
        found = []
        if self.level is not None and self.level > 1:
            found.append(f"x86_64 :: level :: v{self.level}")
        if len(self.cuda) == 1 and not self.external_is_other_gpu:
            found.append(f"nvidia :: cuda_version_lower_bound :: {self.cuda[0]}.0")
        found += [f"nvidia :: sm_arch :: {code.value}" for code in self.codes]
        return tuple(found)

    @property
    def external_is_other_gpu(self) -> bool:
        """Return whether the wheel needs the libraries of another maker's GPUs too."""
        return any(name.startswith(("libamdhip64", "libsycl")) for name in self.external)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "file": self.wheel.filename,
            "architectures": list(self.architectures),
            "device-code": list(map(str, self.codes)),
            "cuda-majors": list(self.cuda),
            "x86-64-level": self.level,
            "simd": {"legacy": self.simd.legacy, "vex": self.simd.vex, "evex": self.simd.evex},
            "numpy-minimum": self.numpy,
            "policy": self.policy,
            "newest-symbols": list(self.newest),
            "external-libraries": list(self.external),
            "macos-minimum": list(self.macos),
            "properties": list(self.properties),
            "binaries": [_table(binary) for binary in self.binaries],
        }


def _table(binary: Binary) -> dict[str, Any]:
    return {
        "path": binary.path,
        "size": binary.size,
        "format": binary.image.format.value,
        "architectures": list(binary.image.architectures),
        "modules": list(binary.image.modules),
        "needed": list(binary.image.needed),
        "device-code": list(map(str, binary.device.codes)),
        "numpy-minimum": None if binary.numpy is None else ".".join(map(str, binary.numpy)),
        "isa-note": binary.image.isa,
        "simd": None if binary.simd is None else str(binary.simd),
        "fault": binary.fault,
    }


def _level(binaries: Iterable[Binary]) -> int | None:
    """Return the highest level that a note demands, or that uniform code of the project's own shows."""
    found = []
    for binary in binaries:
        if binary.image.isa is not None:
            found.append(binary.image.isa)
        if binary.simd and not binary.is_vendored and binary.simd.needs_avx:
            found.append(4 if binary.simd.evex * 2 > binary.simd.vex else 3)
        elif binary.simd and binary.simd.is_enough:
            found.append(1)
    return max(found, default=None)


def _cuda(binaries: Iterable[Binary]) -> tuple[int, ...]:
    """Return the major versions that all binaries can be for, else all that some can."""
    found = [majors for binary in binaries if (majors := cuda_majors(binary)[0])]
    if not found:
        return ()
    return tuple(sorted(frozenset.intersection(*found) or frozenset.union(*found)))


def _united(parts: Iterable[Simd]) -> Simd:
    counts = [(part.legacy, part.vex, part.evex) for part in parts]
    return Simd(*map(sum, zip(*counts, strict=True))) if counts else Simd()


def _newest(versions: Iterable[str]) -> tuple[str, ...]:
    newest: dict[str, tuple[int, ...]] = {}
    for version in versions:
        if match := _VERSION.fullmatch(version):
            numbers = tuple(map(int, match[2].split(".")))
            newest[match[1]] = max(newest.get(match[1], ()), numbers)
    return tuple(f"{name}_{'.'.join(map(str, numbers))}" for name, numbers in sorted(newest.items()))
