from __future__ import annotations

import pytest

from support.binaries import fat, macho, pe
from variant_publish.binary.image import Format, InvalidBinary
from variant_publish.binary.macho import macho_image
from variant_publish.binary.pe import Pe

ARM, INTEL = 0x0100000C, 0x01000007


def test_a_dll_tells_machine_and_imports() -> None:
    image = Pe(
        pe(imports={"python3.dll": ["PyLong_FromLong"], "KERNEL32.dll": ["Sleep"]}, exports=["PyInit_foo"])
    ).image()
    assert (image.format, image.architectures) == (Format.PE, ("amd64",))
    assert image.needed == ("python3.dll", "kernel32.dll")
    assert image.imports == {"PyLong_FromLong", "Sleep"}
    assert image.modules == ("foo",)
    assert Pe(pe(machine=0xAA64)).image().architectures == ("arm64",)


def test_a_thin_library_tells_architecture_and_macos() -> None:
    image = macho_image(
        macho(minimum=(14, 2), needed=["@rpath/libx.dylib"], imports=["PyErr_Clear"], exports=["PyInit_foo"])
    )
    assert (image.format, image.architectures) == (Format.MACHO, ("arm64",))
    assert image.macos == {"arm64": (14, 2)}
    assert image.needed == ("@rpath/libx.dylib",)
    assert image.imports == {"PyErr_Clear"}
    assert image.modules == ("foo",)


def test_a_universal_library_has_both() -> None:
    image = macho_image(fat((INTEL, macho(cpu=INTEL, minimum=(10, 13))), (ARM, macho(minimum=(11, 0)))))
    assert image.architectures == ("x86_64", "arm64")
    assert image.macos == {"x86_64": (10, 13), "arm64": (11, 0)}


@pytest.mark.parametrize("length", [10, 64, 90, 300])
def test_damaged_files_are_errors_of_their_own(length: int) -> None:
    with pytest.raises(InvalidBinary):
        Pe(pe(imports={"a.dll": ["f"] * 9})[:length]).image()
    with pytest.raises(InvalidBinary):
        macho_image(macho(imports=["f"] * 40)[: min(length, 120)])
