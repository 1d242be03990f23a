from __future__ import annotations

import struct

import pytest

from support.binaries import elf, offload_bundle, offload_package, searched
from variant_publish.binary.offload import BUNDLES, SYCL, OffloadTarget, offload_targets, sycl_targets

HOST = "host-x86_64-unknown-linux-gnu-"
GFX942 = "hipv4-amdgcn-amd-amdhsa--gfx942"
GFX90A = "hipv4-amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-"


def offload(data: bytes) -> frozenset[OffloadTarget]:
    return offload_targets(data, searched(data, BUNDLES))


def archs(data: bytes) -> list[str]:
    return sorted(target.arch for target in offload(data))


def test_a_plain_bundle_names_its_targets_and_the_host_is_none() -> None:
    assert archs(elf(extra=b"xyz" + offload_bundle(HOST, GFX942, GFX90A))) == ["gfx90a", "gfx942"]


@pytest.mark.parametrize("method", ["zlib", "zstd"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_of_a_compressed_bundle_the_beginning_is_enough(method: str, version: int) -> None:
    data = elf(extra=offload_bundle(HOST, GFX942, compressed=method, version=version))
    assert archs(data) == ["gfx942"]


def test_the_newer_packaging_has_the_architecture_as_a_string() -> None:
    found = offload(b"\0" * 8 + offload_package("amdgcn-amd-amdhsa", "gfx1100"))
    assert found == {OffloadTarget("hip", "amdgcn-amd-amdhsa", "gfx1100")}


def test_sections_of_sycl_are_named_like_bundles() -> None:
    data = b"\0__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen\0__CLANG_OFFLOAD_BUNDLE__sycl-spir64\0"
    assert sycl_targets(searched(data, (SYCL,))) == {"spir64", "spir64_gen"}
    assert offload(data) == frozenset()


def test_older_compilers_write_one_dash() -> None:
    assert OffloadTarget.parse("hip-amdgcn-amd-amdhsa-gfx906") == OffloadTarget("hip", "amdgcn-amd-amdhsa", "gfx906")
    assert OffloadTarget.parse("hip-amdgcn-amd-amdhsa--gfx9-4-generic") == OffloadTarget(
        "hip", "amdgcn-amd-amdhsa", "gfx9-4-generic"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"CCOB",
        b"CCOB" * 100,
        b"CCOB" + struct.pack("<2H2L", 2, 1, 100, 100) + b"\0" * 8 + b"no zstd at all",
        b"CCOB" + struct.pack("<2H2L", 2, 0, 100, 100) + b"\0" * 8 + b"no zlib at all",
        b"__CLANG_OFFLOAD_BUNDLE__",
        b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", 1 << 60),
        b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<4Q", 1, 0, 0, 1 << 60),
        b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<4Q", 1, 0, 0, 4) + b"\xff\xfe\x00\x01",
        b"\x10\xff\x10\xad" + b"\xff" * 60,
        b"\x10\xff\x10\xad" + struct.pack("<L3Q", 1, 1 << 40, 32, 40) + b"\xff" * 40,
        offload_bundle(GFX942)[:40],
    ],
)
def test_chance_and_damage_are_no_device_code(data: bytes) -> None:
    assert archs(data) == []
