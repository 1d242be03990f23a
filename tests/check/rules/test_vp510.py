from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, macho, pe
from support.checks import LINUX, MAC, PLAIN, WINDOWS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.system_libraries import MachineType

ANY = "foo-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("wheel", "file", "content"),
    [
        (PLAIN, "foo/a.so", elf()),
        (f"foo-1.0-cp312-cp312-{WINDOWS}.whl", "foo/a.pyd", pe()),
        (f"foo-1.0-cp312-cp312-{MAC}.whl", "foo/a.so", macho()),
        ("foo-1.0-cp37-cp37m-macosx_10_6_intel.whl", "foo/a.so", macho(cpu=0x01000007)),
        (PLAIN, "foo/launcher.exe", pe()),
        (ANY, "foo/data.so", elf()),
        ("foo-1.0-cp312-cp312-ios_13_0_arm64_iphoneos.whl", "foo/a.so", macho()),
    ],
)
def test_libraries_for_the_platform_pass(tmp_path: Path, wheel: str, file: str, content: bytes) -> None:
    make_wheel(tmp_path, wheel, files={file: content})
    assert verdicts(MachineType(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("wheel", "file", "content", "message"),
    [
        (PLAIN, "foo/a.so", elf(machine=183), f"foo/a.so is ELF for aarch64, and the wheel is for {LINUX}"),
        (PLAIN, "foo/a.so", macho(), f"foo/a.so is Mach-O for arm64, and the wheel is for {LINUX}"),
        (
            f"foo-1.0-cp312-cp312-{WINDOWS}.whl",
            "foo/a.pyd",
            pe(machine=0xAA64),
            f"foo/a.pyd is PE for arm64, and the wheel is for {WINDOWS}",
        ),
        (
            ANY,
            "foo/a.so",
            elf(exports=["PyInit_a"]),
            "foo/a.so is an extension module, and the wheel is for any platform",
        ),
    ],
)
def test_libraries_for_another_platform_fail(
    tmp_path: Path, wheel: str, file: str, content: bytes, message: str
) -> None:
    make_wheel(tmp_path, wheel, files={file: content})
    assert failures(MachineType(), tmp_path) == [message]


def test_a_library_of_another_system_beside_the_right_one_is_luggage(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/libfoo.so": elf(), "foo/libfoo.dylib": macho(), "foo/libfoo.dll": pe()})
    assert verdicts(MachineType(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, PLAIN, files={"foo/libfoo.so": elf(), "foo/a.pyd": pe(exports=["PyInit_a"])})
    assert failures(MachineType(), tmp_path) == [f"foo/a.pyd is PE for amd64, and the wheel is for {LINUX}"]


def test_libraries_for_the_same_machine_are_told_once(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={f"foo/{one}.so": elf(machine=183) for one in "abcd"})
    assert failures(MachineType(), tmp_path) == [
        f"foo/a.so, foo/b.so, foo/c.so and 1 more are ELF for aarch64, and the wheel is for {LINUX}"
    ]


def test_a_wheel_without_binaries_has_no_machine(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(MachineType(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize("content", [b"\x7fELF and no more", elf(imports=["f"] * 9)[:200], b"MZ" + bytes(80)])
def test_a_library_that_cannot_be_read_is_unknown(tmp_path: Path, content: bytes) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": content, "foo/data.bin": content})
    assert verdicts(MachineType(), tmp_path) == {"unknown": 1}
