from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import msgpack

from support.binaries import elf, macho, pe
from support.checks import LINUX
from support.wheels import make_wheel
from variant_publish.binary.linkage import Linkage
from variant_publish.binary.loading import Loader, Loading
from variant_publish.errors import VariantPublishError

NAME = f"foo-1.0-cp312-cp312-{LINUX}.whl"
SYSTEM = frozenset({"libz.so.1"})


def linkage(folder: Path, **files: bytes) -> Linkage:
    suffixes = {b"\x7f": "so", b"M": "dll", b"\xcf": "dylib"}
    members = {f"foo/{name}.{suffixes[content[:1]]}": content for name, content in files.items()}
    return Linkage.read(make_wheel(folder, NAME, files=members))


def loaded(tmp_path: Path, own: bytes, dependency: bytes, **more: bytes) -> Loading:
    return Loader(
        linkage(tmp_path / "own", ext=own, **more), linkage(tmp_path / "dep", libdep=dependency), (), SYSTEM
    ).load()


@pytest.mark.parametrize(
    ("wanted", "needed", "missing", "unknown"),
    [
        (["here"], [], [], []),
        (["gone"], [], ["gone"], []),
        (["_ZN3c104goneEv"], [], ["c10::gone(...)"], []),
        (["_ZNSt8ios_base8newer_inEv"], [], [], ["std::ios_base::newer_in(...)"]),
        (["PyLong_FromLong"], [], [], []),
        (["inside"], [], [], []),
        (["gone"], ["libsox.so"], [], ["gone"]),
        (["compress9"], ["libz.so.1"], [], ["compress9"]),
        (["_ZN3c104goneEv"], ["libz.so.1", "libcudart.so.12"], ["c10::gone(...)"], []),
        (["gone"], ["libc.so.6", "libstdc++.so.6"], ["gone"], []),
    ],
)
def test_elf_symbols_may_be_anywhere(
    tmp_path: Path, wanted: list[str], needed: list[str], missing: list[str], unknown: list[str]
) -> None:
    own = elf(needed=["libdep.so", *needed], imports=wanted, weak=["weak_and_gone"])
    found = loaded(tmp_path, own, elf(soname="libdep.so", exports=["here"]), libown=elf(exports=["inside"]))
    assert [str(one) for one in found.missing] == missing
    assert [str(one) for one in found.unknown] == unknown
    assert found.libraries == ("foo/ext.so",)


def test_a_wheel_that_needs_nothing_of_the_dependency_says_so(tmp_path: Path) -> None:
    assert loaded(tmp_path, elf(needed=["libc.so.6"], imports=["gone"]), elf(exports=["here"])) == Loading()


def test_a_library_that_is_needed_by_one_of_the_wheel_counts(tmp_path: Path) -> None:
    own = elf(needed=["libmiddle.so"], imports=["gone"])
    found = loaded(tmp_path, own, elf(soname="libdep.so"), libmiddle=elf(needed=["libdep.so"]))
    assert [str(one) for one in found.missing] == ["gone"]
    assert found.libraries == ("foo/ext.so", "foo/libmiddle.so")


@pytest.mark.parametrize(
    ("needed", "there", "missing"),
    [
        ("libarrow.so.2100", "libarrow.so.2200", ["libarrow.so.2100"]),
        ("libblas-0123abcd.so", "libblas-89abcdef.so", ["libblas-0123abcd.so"]),
        ("libgomp.so.1", "libgomp-0123abcd.so.1.0.0", []),
        ("libz.so.1", "libz.so.2", []),
    ],
)
def test_another_version_or_copy_of_a_library_is_not_the_one(
    tmp_path: Path, needed: str, there: str, missing: list[str]
) -> None:
    found = loaded(tmp_path, elf(needed=[needed]), elf(soname=there))
    assert [str(one) for one in found.missing] == missing


def test_mach_o_symbols_are_in_the_library_that_is_named(tmp_path: Path) -> None:
    own = macho(needed=["@rpath/libdep.dylib", "/usr/lib/libc++.1.dylib"], imports=["here", "gone"], ordinal=1)
    found = loaded(tmp_path, own, macho(exports=["here"]))
    assert (found.found, [str(one) for one in found.missing]) == (1, ["gone"])
    system = macho(needed=["@rpath/libdep.dylib", "/usr/lib/libc++.1.dylib"], imports=["gone"], ordinal=2)
    assert loaded(tmp_path, system, macho(exports=["here"])).missing == ()


def test_dll_symbols_are_in_the_dll_that_is_named(tmp_path: Path) -> None:
    own = pe(imports={"LIBDEP.dll": ["here", "gone"], "kernel32.dll": ["Sleep"], "python312.dll": ["PyList_New"]})
    found = loaded(tmp_path, own, pe(exports=["here"]))
    assert (found.found, [str(one) for one in found.missing]) == (1, ["gone"])


def test_a_summary_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = linkage(tmp_path, a=elf(soname="liba.so", exports=["x", "y"]), b=b"\x7fELF and no more")
    assert Linkage.parse(found.dumps()) == found
    for damaged in (
        b"",
        found.dumps()[:-1],
        found.dumps() + b"1234567",
        msgpack.encode({"schema": 1, "libraries": []}),
    ):
        with pytest.raises(VariantPublishError, match="damaged"):
            Linkage.parse(damaged)
