from __future__ import annotations

import struct

from support.binaries import LEGACY, NUMPY_2, VEX, elf, fat, fatbin, macho, pe
from support.fuzz import fuzz
from variant_publish.binary.elf import Elf
from variant_publish.binary.fatbin import DeviceImages
from variant_publish.binary.macho import macho_image
from variant_publish.binary.pe import Pe
from variant_publish.binary.x86 import sample

LIBRARY = elf(
    needed=["libc.so.6"], soname="libx.so.1", versions={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.34"]},
    imports=["a", "b"], weak=["c"], exports=["PyInit_x"], isa=3, functions=[LEGACY, VEX] * 40, extra=NUMPY_2,
)  # fmt: skip
CODE = fatbin((90, "", False), (90, "a", False), (120, "", True))
DLL = pe(imports={"python3.dll": ["PyErr_Clear", "PyList_New"], "kernel32.dll": ["Sleep"]}, exports=["PyInit_x"])
MACHO = macho(needed=["@rpath/a.dylib", "/usr/lib/b.dylib"], imports=["PyErr_Clear"], exports=["PyInit_x"])
NUMBERS = [struct.pack("<L", number) for number in (0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 11, 0x6FFFFFFE)]


def read_elf(data: bytes) -> object:
    file = Elf(data)
    return file.image(), file.symbols(), sample(file)


def read_pe(data: bytes) -> object:
    return Pe(data).image(), tuple(Pe(data).symbols())


def test_damaged_elf_files_are_read_or_refused() -> None:
    assert fuzz(read_elf, [LIBRARY, elf(machine=183), elf(imports=["x"] * 50)], words=NUMBERS)


def test_damaged_pe_files_are_read_or_refused() -> None:
    assert fuzz(read_pe, [DLL, pe()], words=NUMBERS)


def test_damaged_macho_files_are_read_or_refused() -> None:
    assert fuzz(macho_image, [MACHO, fat((0x01000007, macho(cpu=0x01000007)), (0x0100000C, MACHO))], words=NUMBERS)


def test_damaged_device_code_is_read_or_left_out() -> None:
    assert fuzz(DeviceImages.of, [CODE, CODE * 3, b"\0" * 9 + CODE], words=[CODE, CODE[:16], *NUMBERS])
