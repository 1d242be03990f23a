from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import NUMPY_1, NUMPY_2, elf, pe
from support.checks import LINUX, MAC, WINDOWS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.rules.extensions import BuiltAgainstPin, ExtensionSuffixes, SameCxxLibrary, StableAbi

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
ABI3 = f"foo-1.0-cp39-abi3-{LINUX}.whl"
FILE = "foo/_c.abi3.so"


def against(version: bytes) -> bytes:
    return elf(exports=["PyInit__c"], extra=NUMPY_2.replace(b"%s", version))


@pytest.mark.parametrize("requires", ["numpy>=1.25", "numpy==2.0.0", "numpy>=1.20; python_version < '3.9'\nnumpy>=2"])
def test_a_module_for_the_numpy_that_is_required_passes(tmp_path: Path, requires: str) -> None:
    make_wheel(tmp_path, PLAIN, files={FILE: against(b"1.25+")}, requires=requires.splitlines())
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"pass": 1}


def test_a_module_for_a_newer_numpy_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={FILE: against(b"2.1")}, requires=["numpy==2.0.0"])
    (message,) = failures(BuiltAgainstPin(), tmp_path)
    assert message == "foo/_c.abi3.so runs with NumPy 2.1 or later, and the wheel allows 2.0.0"


@pytest.mark.parametrize(
    ("requires", "content"),
    [
        ([], against(b"2.1")),
        (["numpy"], against(b"2.1")),
        (["numpy>=2"], elf(exports=["PyInit__c"])),
        (["numpy>=2"], b""),
    ],
)
def test_wheels_without_a_claim_or_a_use_are_skipped(tmp_path: Path, requires: list[str], content: bytes) -> None:
    make_wheel(tmp_path, PLAIN, files={FILE: content}, requires=requires)
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"skip": 1}


def test_headers_of_numpy_1_are_unknown_where_numpy_is_pinned(tmp_path: Path) -> None:
    pins = {"abi-requires.txt": b"numpy+pypi==2.0.0"}
    content = elf(exports=["PyInit__c"], extra=NUMPY_1)
    make_wheel(tmp_path, PLAIN, files={FILE: content}, requires=["numpy==2.0.0"], extra_info=pins)
    assert verdicts(BuiltAgainstPin(), tmp_path) == {"unknown": 1}


def test_symbols_of_the_stable_abi_pass(tmp_path: Path) -> None:
    content = elf(exports=["PyInit__c"], imports=["PyLong_FromLong", "PyErr_Clear", "sqrt"])
    make_wheel(tmp_path, ABI3, files={FILE: content, "foo/x.so": elf(imports=["_PyNot"])})
    assert verdicts(StableAbi(), tmp_path) == {"pass": 1}


def test_other_and_newer_symbols_fail(tmp_path: Path) -> None:
    content = elf(exports=["PyInit__c"], imports=["PyUnicode_AsUTF8AndSize", "_PyLong_Sign"], weak=["_PyWeak"])
    make_wheel(tmp_path, ABI3, files={FILE: content})
    assert failures(StableAbi(), tmp_path) == [
        "foo/_c.abi3.so uses _PyLong_Sign, which is not in the stable ABI",
        "foo/_c.abi3.so uses PyUnicode_AsUTF8AndSize, which came later than Python 3.9",
    ]


def test_the_dll_of_one_python_fails(tmp_path: Path) -> None:
    content = pe(imports={"python312.dll": ["PyErr_Clear"]}, exports=["PyInit__c"])
    make_wheel(tmp_path, f"foo-1.0-cp39-abi3-{WINDOWS}.whl", files={"foo/_c.pyd": content})
    assert failures(StableAbi(), tmp_path) == ["foo/_c.pyd uses python312.dll, which is the DLL of one Python"]


def test_wheels_for_one_python_may_use_everything(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={FILE: elf(exports=["PyInit__c"], imports=["_PyLong_Sign"])})
    assert verdicts(StableAbi(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize(
    ("wheel", "files"),
    [
        (PLAIN, ["foo/_c.cpython-312-x86_64-linux-gnu.so", "foo/_d.abi3.so", "foo/e.so"]),
        (f"foo-1.0-cp314-cp314t-{MAC}.whl", ["foo/_c.cpython-314t-darwin.so"]),
        (f"foo-1.0-cp312-cp312-{WINDOWS}.whl", ["foo/_c.cp312-win_amd64.pyd"]),
        (PLAIN, ["foo/_c.cpython-312-x86_64-linux-gnu.so", "foo/_c.cpython-311-x86_64-linux-gnu.so"]),
        (f"foo-1.0-py3-none-{LINUX}.whl", ["foo/_c.cpython-311-x86_64-linux-gnu.so"]),
    ],
)
def test_modules_for_the_python_of_the_tag_pass(tmp_path: Path, wheel: str, files: list[str]) -> None:
    make_wheel(tmp_path, wheel, files=dict.fromkeys(files, b""))
    assert verdicts(ExtensionSuffixes(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("wheel", "file"),
    [
        (PLAIN, "foo/_c.cpython-311-x86_64-linux-gnu.so"),
        (f"foo-1.0-cp314-cp314t-{MAC}.whl", "foo/_c.cpython-314-darwin.so"),
    ],
)
def test_modules_for_another_python_fail(tmp_path: Path, wheel: str, file: str) -> None:
    make_wheel(tmp_path, wheel, files={file: b""})
    assert "foo/_c is there for Python 31" in failures(ExtensionSuffixes(), tmp_path)[0]


def test_a_wheel_without_extension_modules_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    assert verdicts(ExtensionSuffixes(), tmp_path) == {"skip": 1}


def cxx(version: str) -> dict[str, bytes]:
    return {"foo/_c.so": elf(versions={"libstdc++.so.6": ["GLIBCXX_3.4", f"GLIBCXX_{version}"]})}


def test_variants_of_one_image_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.21"))
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files=cxx("3.4.21"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"pass": 1}


def test_variants_of_two_images_are_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.9"))
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files=cxx("3.4.21"))
    assert failures(SameCxxLibrary(), tmp_path) == [
        f"the variants of cp312-cp312-{LINUX} need different versions of GLIBCXX: generic 3.4.9, cu128 3.4.21"
    ]


def test_one_variant_or_no_cxx_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.9"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"skip": 1}
