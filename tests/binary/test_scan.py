from __future__ import annotations

import zipfile
from pathlib import Path

from support.binaries import NUMPY_1, NUMPY_2, VEX, elf, fatbin
from support.checks import LINUX
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.scan import Scan, scan
from variant_publish.providers.catalog import BUILTIN as READERS

NAME = f"foo-1.0-cp312-cp312-{LINUX}.whl"


def scanned(folder: Path, *, simd: bool = True, **files: bytes) -> Scan:
    path = make_wheel(folder, NAME, files={f"foo/{name}.so": content for name, content in files.items()})
    return scan(WholeWheel.read(path), READERS, simd=simd)


def test_every_binary_is_read_once(tmp_path: Path) -> None:
    module = elf(exports=["PyInit_a"], extra=NUMPY_2.replace(b"%s", b"1.25+"))
    found = scanned(tmp_path, a=module, b=elf(extra=fatbin((90, "", False)), functions=[VEX]), c=b"no binary")
    assert (found.mismatches, found.faults) == ((), ())
    one, two = found.binaries
    assert (one.path, one.numpy, one.uses_numpy, one.image.modules) == ("foo/a.so", (1, 25), True, ("a",))
    assert two.shows("nvidia").code == ("90_real",)
    assert (two.simd and two.simd.vex, two.uses_numpy) == (1, False)


def test_disassembling_can_be_left_out(tmp_path: Path) -> None:
    assert scanned(tmp_path, simd=False, a=elf(functions=[VEX])).binaries[0].simd is None


def test_headers_of_numpy_1_leave_no_version(tmp_path: Path) -> None:
    (binary,) = scanned(tmp_path, a=elf(exports=["PyInit_a"], extra=NUMPY_1)).binaries
    assert (binary.numpy, binary.uses_numpy) == (None, True)


def test_a_binary_that_is_none_is_told(tmp_path: Path) -> None:
    (binary,) = scanned(tmp_path, a=b"\x7fELF and no more").binaries
    assert binary.fault == "its ELF header has no known class or byte order"


def test_other_bytes_than_recorded_are_seen(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, NAME, files={"foo.py": b"x = 1\n"})
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, b"x = 2\n" if name == "foo.py" else content)
    assert scan(WholeWheel.read(path), READERS).mismatches == ("foo.py",)


def test_damage_in_one_member_leaves_the_others(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, NAME, files={"foo.py": b"x = 1\n" * 50, "bar.so": elf()})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    found = scan(WholeWheel.read(path), READERS)
    assert len(found.faults) == 1
    assert "foo.py" in found.faults[0]
    assert len(found.binaries) == 1


def test_vendored_libraries_are_told_apart(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, NAME, files={"foo.libs/libgomp.so": elf(), "foo/libfoo.so": elf()})
    assert [binary.is_vendored for binary in scan(WholeWheel.read(path), READERS).binaries] == [True, False]
