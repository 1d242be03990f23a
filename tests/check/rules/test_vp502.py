from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import PLAIN, failures, verdicts
from support.code import NEW_LIBC
from support.wheels import make_wheel
from variant_publish.check.rules.system_libraries import ExternalLibraries


@pytest.fixture(autouse=True)
def policies() -> None:
    pytest.importorskip("auditwheel")


def test_tags_without_a_promise_and_wheels_without_binaries_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "linux"), files={"foo/a.so": NEW_LIBC})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(ExternalLibraries(), tmp_path) == {"skip": 2}


def test_libraries_inside_and_of_every_linux_pass(tmp_path: Path) -> None:
    content = elf(needed=["libc.so.6", "ld-linux-x86-64.so.2", "libgomp-1.so", "libown.so.1", "libcuda.so.1"])
    files = {"foo/a.so": content, "foo.libs/libgomp-1.so": elf(), "foo/own.so": elf(soname="libown.so.1")}
    make_wheel(tmp_path, PLAIN, files=files)
    assert verdicts(ExternalLibraries(), tmp_path) == {"pass": 1}


def test_other_libraries_fail(tmp_path: Path) -> None:
    make_wheel(
        tmp_path, PLAIN, files={"foo/a.so": elf(needed=["libgomp.so.1"]), "foo/b.so": elf(needed=["libcudart.so.12"])}
    )
    assert failures(ExternalLibraries(), tmp_path) == [
        "foo/b.so needs libcudart.so.12, which is neither in the wheel nor on every machine",
        "foo/a.so needs libgomp.so.1, which is neither in the wheel nor on every machine",
    ]


def test_declared_and_required_libraries_pass(tmp_path: Path) -> None:
    files = {"foo/a.so": elf(needed=["libgomp.so.1", "libcudart.so.12", "libtorch_cpu.so"])}
    make_wheel(tmp_path, PLAIN, files=files, requires=["nvidia-cuda-runtime-cu12", "torch>=2"])
    config = '[tool.variant-publish.check]\nexternal = ["libgomp.so.1"]\n'
    assert verdicts(ExternalLibraries(), tmp_path, config) == {"pass": 1}
