from __future__ import annotations

from pathlib import Path

from support.binaries import elf, pe
from support.checks import LINUX, PLAIN, WINDOWS, failures, verdicts
from support.code import EXTENSION
from support.wheels import make_wheel
from variant_publish.check.rules.extensions import StableAbi

ABI3 = f"foo-1.0-cp39-abi3-{LINUX}.whl"


def test_symbols_of_the_stable_abi_pass(tmp_path: Path) -> None:
    content = elf(exports=["PyInit__c"], imports=["PyLong_FromLong", "PyErr_Clear", "sqrt"])
    make_wheel(tmp_path, ABI3, files={EXTENSION: content, "foo/x.so": elf(imports=["_PyNot"])})
    assert verdicts(StableAbi(), tmp_path) == {"pass": 1}


def test_other_and_newer_symbols_fail(tmp_path: Path) -> None:
    content = elf(exports=["PyInit__c"], imports=["PyUnicode_AsUTF8AndSize", "_PyLong_Sign"], weak=["_PyWeak"])
    make_wheel(tmp_path, ABI3, files={EXTENSION: content})
    assert failures(StableAbi(), tmp_path) == [
        "foo/_c.abi3.so uses _PyLong_Sign, which is not in the stable ABI",
        "foo/_c.abi3.so uses PyUnicode_AsUTF8AndSize, which came later than Python 3.9",
    ]


def test_the_dll_of_one_python_fails(tmp_path: Path) -> None:
    content = pe(imports={"python312.dll": ["PyErr_Clear"]}, exports=["PyInit__c"])
    make_wheel(tmp_path, f"foo-1.0-cp39-abi3-{WINDOWS}.whl", files={"foo/_c.pyd": content})
    assert failures(StableAbi(), tmp_path) == ["foo/_c.pyd uses python312.dll, which is the DLL of one Python"]


def test_wheels_for_one_python_may_use_everything(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={EXTENSION: elf(exports=["PyInit__c"], imports=["_PyLong_Sign"])})
    assert verdicts(StableAbi(), tmp_path) == {"skip": 1}
