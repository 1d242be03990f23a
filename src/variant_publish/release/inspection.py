"""Inspection: what a wheel's binaries say of the machines that it is for, and the properties that follow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import msgspec
from msgspec.structs import asdict

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.image import Format
from variant_publish.binary.policy import best_policy, is_loader
from variant_publish.binary.scan import Binary, Scan
from variant_publish.binary.x86 import CodeSample
from variant_publish.model.matrix import natural_key
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import KNOWN
from variant_publish.release.abi_range import abi_property, built_against

_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI)_([0-9.]+)")


class Inspection(msgspec.Struct, frozen=True):
    """What is inside one wheel; `policy` is the platform tag of the oldest Linux that it runs on.

    `level` is the x86-64 level that the code needs, None where there is no evidence; `codes` are the values of device
    code, and `majors` the versions of the runtime (CUDA, ROCm), each by namespace.
    """

    wheel: WholeWheel
    binaries: tuple[Binary, ...]
    architectures: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]
    majors: Mapping[str, tuple[int, ...]]
    level: int | None
    simd: CodeSample
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
            codes={name: found for name in _namespaces() if (found := _codes(name, whole))},
            majors={name: majors for name in _namespaces() if (majors := _majors(name, whole))},
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
        no file. Where a wheel holds code for several major versions, none is proposed. A wheel with an exact
        requirement on a well-known dependency, and with libraries that need others, was built against it.
        """
        found = []
        if self.level is not None and self.level > 1:
            found.append(f"x86_64 :: level :: v{self.level}")
        if list(self.majors) == ["nvidia"] and len(self.majors["nvidia"]) == 1:
            found.append(f"nvidia :: cuda_version_lower_bound :: {self.majors['nvidia'][0]}.0")
        for provider in catalog.providers():
            values = [value for value in self.codes.get(provider.namespace, ()) if provider.is_value(value)]
            found += [str(provider.property(provider.code_feature or "", value)) for value in values]
        built = [(name, built_against(self.wheel, name)[1]) for name in KNOWN if self.external or self.macos]
        return (*found, *(str(abi_property(name, version)) for name, version in built if version))

    @property
    def code_names(self) -> dict[str, tuple[str, ...]]:
        """Return what people call the device code, by what they call the hardware."""
        known = {provider.namespace: provider for provider in catalog.providers()}
        return {
            known[name].title.removesuffix(" driver"): tuple(map(known[name].code_name, values))
            for name, values in self.codes.items()
        }

    @property
    def runtimes(self) -> dict[str, tuple[int, ...]]:
        """Return the major versions of CUDA and ROCm, by these names."""
        known = {provider.namespace: provider for provider in catalog.providers()}
        return {known[name].runtime: majors for name, majors in self.majors.items()}

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "file": self.wheel.filename,
            "architectures": list(self.architectures),
            "device-code": {name: list(values) for name, values in self.codes.items()},
            "runtimes": {name: list(majors) for name, majors in self.majors.items()},
            "x86-64-level": self.level,
            "simd": asdict(self.simd),
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
        "device-code": {found.namespace: list(found.code) for found in binary.evidence if found.code},
        "numpy-minimum": None if binary.numpy is None else ".".join(map(str, binary.numpy)),
        "isa-note": binary.image.isa,
        "simd": None if binary.simd is None else str(binary.simd),
        "fault": binary.fault,
    }


def _level(binaries: Sequence[Binary]) -> int | None:
    """Return the highest level that a note demands, or that the code that always runs needs."""
    notes = [binary.image.isa for binary in binaries if binary.image.isa is not None]
    needed = [binary.simd.needed for binary in binaries if binary.simd]
    return max((level for level in (*notes, *needed) if level is not None), default=None)


def _namespaces() -> list[str]:
    return [provider.namespace for provider in catalog.providers()]


def _codes(namespace: str, binaries: Iterable[Binary]) -> tuple[str, ...]:
    return tuple(sorted({value for binary in binaries for value in binary.shows(namespace).code}, key=natural_key))


def _majors(namespace: str, binaries: Iterable[Binary]) -> tuple[int, ...]:
    """Return the major versions that all binaries can be for, else all that some can."""
    found = [majors for binary in binaries if (majors := binary.shows(namespace).runtimes)]
    return tuple(sorted(frozenset.intersection(*found) or frozenset.union(*found))) if found else ()


def _united(parts: Iterable[CodeSample]) -> CodeSample:
    found = list(parts)
    counts = {name: sum(getattr(part, name) for part in found) for name in ("legacy", "vex", "evex", "v2", "scalar")}
    return CodeSample(**counts, dispatches=any(part.dispatches for part in found))


def _newest(versions: Iterable[str]) -> tuple[str, ...]:
    newest: dict[str, tuple[int, ...]] = {}
    for version in versions:
        if match := _VERSION.fullmatch(version):
            numbers = tuple(map(int, match[2].split(".")))
            newest[match[1]] = max(newest.get(match[1], ()), numbers)
    return tuple(f"{name}_{'.'.join(map(str, numbers))}" for name, numbers in sorted(newest.items()))
