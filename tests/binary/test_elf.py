from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.binaries import elf
from variant_publish.binary.elf import Elf
from variant_publish.binary.image import Format, InvalidBinary, format_of


def test_the_headers_tell_what_the_loader_needs() -> None:
    image = Elf(
        elf(
            needed=["libc.so.6", "libm.so.6"],
            soname="libfoo.so.1",
            versions={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.28"], "libm.so.6": ["GLIBC_2.29"]},
            imports=["PyLong_FromLong", "sqrt"],
            weak=["__gmon_start__"],
            exports=["PyInit_foo"],
            isa=3,
        )
    ).image()
    assert (image.format, image.architectures, image.soname) == (Format.ELF, ("x86_64",), "libfoo.so.1")
    assert image.needed == ("libc.so.6", "libm.so.6")
    assert image.versions == {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.28"), "libm.so.6": ("GLIBC_2.29",)}
    assert image.imports == {"PyLong_FromLong", "sqrt"}
    assert image.weak == {"__gmon_start__"}
    assert image.modules == ("foo",)
    assert image.isa == 3


def test_a_plain_library_has_little_to_tell() -> None:
    image = Elf(elf(machine=183)).image()
    assert (image.architectures, image.needed, image.modules, image.isa) == (("aarch64",), (), (), None)


@pytest.mark.parametrize("length", [5, 40, 70, 300])
def test_a_damaged_file_is_an_error_of_its_own(length: int) -> None:
    with pytest.raises(InvalidBinary, match=r"damaged|known class"):
        Elf(elf(imports=["x"] * 9)[:length]).image()


def test_a_file_of_an_unknown_machine_is_read() -> None:
    assert Elf(elf(machine=999)).image().architectures == ("machine 999, 64 bits",)


@pytest.mark.skipif(sys.platform != "linux", reason="compares with the libraries of this Linux")
def test_pyelftools_reads_the_same_from_real_files() -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    utils = pytest.importorskip("auditwheel.elfutils")
    paths = sorted(Path(pytest.importorskip("iced_x86").__file__).parent.glob("*.so"))
    assert paths
    for path in paths:
        image = Elf(path.read_bytes()).image()
        with path.open("rb") as stream:
            other = elffile.ELFFile(stream)
            assert {
                (lib, one) for lib, names in image.versions.items() for one in names if "ld-linux" not in lib
            } == set(utils.elf_find_versioned_symbols(other))
        assert list(image.needed) == utils.elf_read_dt_needed(path)
        assert image.imports == utils.get_undefined_symbols(path) - {""}


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x7fELF\x02\x01\x01\0", Format.ELF),
        (b"MZ\x90\0\3\0\0\0", Format.PE),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\1", Format.MACHO),
        (b"\xca\xfe\xba\xbe\0\0\0\2", Format.MACHO),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", None),  # a Java class
        (b"import os", None),
        (b"", None),
    ],
)
def test_formats_are_told_by_their_first_bytes(head: bytes, kind: Format | None) -> None:
    assert format_of(head) is kind
