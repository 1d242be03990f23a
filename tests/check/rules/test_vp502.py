from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.binaries import elf
from support.checks import PLAIN, failures, verdicts
from support.code import NEW_LIBC
from support.wheels import make_wheel
from variant_publish.check.rules.system_libraries import ExternalLibraries


def module(**values: Any) -> bytes:
    return elf(exports=["PyInit_foo"], **values)


@pytest.fixture(autouse=True)
def policies() -> None:
    pytest.importorskip("auditwheel")


def test_tags_without_a_promise_and_wheels_without_binaries_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "linux"), files={"foo/a.so": NEW_LIBC})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(ExternalLibraries(), tmp_path) == {"skip": 2}


def test_libraries_inside_and_of_every_linux_pass(tmp_path: Path) -> None:
    content = module(needed=["libc.so.6", "ld-linux-x86-64.so.2", "libgomp-1.so", "libown.so.1", "libcuda.so.1"])
    files = {"foo/a.so": content, "foo.libs/libgomp-1.so": elf(), "foo/own.so": elf(soname="libown.so.1")}
    make_wheel(tmp_path, PLAIN, files=files)
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 1}


def test_other_libraries_fail(tmp_path: Path) -> None:
    make_wheel(
        tmp_path,
        PLAIN,
        files={"foo/a.so": module(needed=["libgomp.so.1"]), "foo/b.so": module(needed=["libcudart.so.12"])},
    )
    assert failures(ExternalLibraries(), tmp_path) == [
        "foo/b.so needs libcudart.so.12, which is neither in the wheel nor on every machine",
        "foo/a.so needs libgomp.so.1, which is neither in the wheel nor on every machine",
    ]


def test_a_generic_wheel_without_variants_that_brings_no_cuda_of_its_own_fails(tmp_path: Path) -> None:
    cudart = module(needed=["libcudart.so.12"])
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": cudart})
    assert len(failures(ExternalLibraries(), tmp_path)) == 1
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": cudart}, requires=["nvidia-cuda-runtime-cu12"])
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": cudart, "foo.libs/libcudart.so.12": elf()})
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 1}


def test_declared_and_required_libraries_pass(tmp_path: Path) -> None:
    files = {"foo/a.so": module(needed=["libgomp.so.1", "libcudart.so.12", "libtorch_cpu.so"])}
    make_wheel(tmp_path, PLAIN, files=files, requires=["nvidia-cuda-runtime-cu12", "torch>=2"])
    config = '[tool.variant-publish.check]\nexternal = ["libgomp.so.1"]\n'
    assert verdicts(ExternalLibraries(), tmp_path, config) == {"pass": 1}


def test_what_an_extension_module_needs_inside_the_wheel_is_needed_too(tmp_path: Path) -> None:
    files = {
        "foo/a.so": module(needed=["libb.so.1"]),
        "foo/b.so": elf(soname="libb.so.1", needed=["libc_.so"]),
        "foo/libc_.so": elf(needed=["libgomp.so.1"]),
        "foo/plugin.so": elf(needed=["libsycl.so.8"]),
    }
    make_wheel(tmp_path, PLAIN, files=files)
    assert failures(ExternalLibraries(), tmp_path) == [
        "foo/libc_.so needs libgomp.so.1, which is neither in the wheel nor on every machine"
    ]


def test_a_libc_is_no_library_that_is_missing(tmp_path: Path) -> None:
    content = module(needed=["libc.so", "libc.musl-x86_64.so.1"])
    make_wheel(tmp_path, PLAIN, files={"a.so": content})  # VP518 says that it is the wrong one
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "musllinux_1_2"), files={"a.so": content})
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 2}


def test_qt_comes_from_a_distribution_of_its_own(tmp_path: Path) -> None:
    files = {"PyQt6/QtGui.so": module(needed=["libQt6Gui.so.6"])}
    make_wheel(tmp_path, PLAIN, files=files, requires=["PyQt6-Qt6<6.13.0,>=6.12.0"])
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 1}
