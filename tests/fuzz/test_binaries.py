from __future__ import annotations

import struct

import pytest

from support.binaries import (
    CPUID,
    LEGACY,
    NUMPY_2,
    VEX,
    elf,
    fat,
    fatbin,
    macho,
    macho_code,
    offload_bundle,
    offload_package,
    pe,
    pe_code,
    searched,
)
from support.fuzz import fuzz
from variant_publish.binary.demangle import demangled
from variant_publish.binary.elf import Elf
from variant_publish.binary.fatbin import DEVICE_CODE, DeviceImages
from variant_publish.binary.functions import FunctionTable, elf_functions, macho_functions, pe_functions
from variant_publish.binary.image import Format
from variant_publish.binary.linkage import Library, Linkage
from variant_publish.binary.macho import macho_image, macho_slices
from variant_publish.binary.offload import BUNDLES, offload_targets
from variant_publish.binary.pe import Pe
from variant_publish.binary.x86 import sample
from variant_publish.errors import VariantPublishError

LIBRARY = elf(
    needed=["libc.so.6"], soname="libx.so.1", versions={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.34"]},
    imports=["a", "b"], weak=["c"], exports=["PyInit_x"], isa=3, functions=[LEGACY, VEX] * 40, extra=NUMPY_2,
)  # fmt: skip
CODE = fatbin((90, "", False), (90, "a", False), (120, "", True))
DLL = pe(imports={"python3.dll": ["PyErr_Clear", "PyList_New"], "kernel32.dll": ["Sleep"]}, exports=["PyInit_x"])
MACHO = macho(needed=["@rpath/a.dylib", "/usr/lib/b.dylib"], imports=["PyErr_Clear"], exports=["PyInit_x"])
NUMBERS = [struct.pack("<L", number) for number in (0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 11, 0x6FFFFFFE)]


def sampled(functions: FunctionTable | None) -> object:
    return sample(functions, ()) if functions else None


def read_elf(data: bytes) -> object:
    file = Elf(data)
    return file.image(), file.symbols(), sampled(elf_functions(file))


def read_pe(data: bytes) -> object:
    file = Pe(data)
    return file.image(), tuple(file.symbols()), sampled(pe_functions(file))


def read_macho(data: bytes) -> object:
    return macho_image(data), sampled(macho_functions(macho_slices(data)))


def test_damaged_elf_files_are_read_or_refused() -> None:
    assert fuzz(read_elf, [LIBRARY, elf(machine=183), elf(imports=["x"] * 50)], words=NUMBERS)


def test_damaged_pe_files_are_read_or_refused() -> None:
    assert fuzz(read_pe, [DLL, pe(), pe_code([VEX, CPUID] * 9)], words=NUMBERS)


def test_damaged_macho_files_are_read_or_refused() -> None:
    samples = [MACHO, fat((0x01000007, macho(cpu=0x01000007)), (0x0100000C, MACHO)), macho_code([VEX, CPUID] * 9)]
    assert fuzz(read_macho, samples, words=NUMBERS)


def test_damaged_offload_bundles_are_read_or_left_out() -> None:
    names = ("host-x86_64--", "hipv4-amdgcn-amd-amdhsa--gfx942")
    packed = [offload_bundle(*names, compressed=method) for method in ("zlib", "zstd")]
    samples = [offload_bundle(*names), *packed, offload_package("amdgcn-amd-amdhsa", "gfx942")]
    assert fuzz(
        lambda data: offload_targets(data, searched(data, BUNDLES)),
        samples,
        words=[b"CCOB", b"\x10\xff\x10\xad", *NUMBERS],
    )


def test_damaged_device_code_is_read_or_left_out() -> None:
    assert fuzz(
        lambda data: DeviceImages.of(data, searched(data, DEVICE_CODE)),
        [CODE, CODE * 3, b"\0" * 9 + CODE],
        words=[CODE, CODE[:16], *NUMBERS],
    )


def test_damaged_summaries_of_symbols_are_refused() -> None:
    libraries = (
        Library("foo/a.so", Format.ELF, "liba.so.1", ("libc.so.6",), frozenset({1, 2, 3})),
        Library("foo/b.dll", Format.PE, is_read=False),
    )
    assert fuzz(
        Linkage.parse,
        [Linkage(libraries).dumps()],
        words=[b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"],
    )


def test_a_summary_of_symbols_without_an_end_is_refused() -> None:
    with pytest.raises(VariantPublishError, match="is damaged"):
        Linkage.parse(b"\x82\xa6s_reqd" * 100_000)


def test_names_of_symbols_are_shown() -> None:
    names = [b"_ZN5torch8autograd13_wrap_outputsERKSt6vectorIN2at6TensorESaIS3_EE", b"_ZN1aIN1bIcLb1EEEE1cEv"]

    def show(name: bytes) -> None:
        demangled(name.decode("utf-8", "surrogateescape"))

    assert fuzz(show, names, words=[b"I" * 500, b"N" * 500, b"S_", b"B1x" * 900, b"L" * 900]) > 0
