from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf, fat, macho, pe
from support.checks import LINUX, MAC, WINDOWS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.binary.policy import _policies, policy_of
from variant_publish.rules.loading import ExternalLibraries, MachineType, MacTags, PolicyFits

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
ANY = "foo-1.0-py3-none-any.whl"
ARM, INTEL = 0x0100000C, 0x01000007
NEW = elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"]})
OLD = elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17"], "libown.so": ["OWN_9"]})


@pytest.fixture(autouse=True)
def policies() -> None:
    pytest.importorskip("auditwheel")


def test_versions_that_the_tag_promises_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": OLD})
    make_wheel(tmp_path, PLAIN.replace("2_28", "2_34"), files={"foo/a.so": NEW})
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "musllinux_1_2"), files={"foo/a.so": elf(needed=["libc.so"])})
    assert verdicts(PolicyFits(), tmp_path) == {"pass": 3}


def test_newer_versions_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW})
    assert failures(PolicyFits(), tmp_path) == [f"foo/a.so needs GLIBC_2.34, which {LINUX} does not promise"]
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW, "foo/b.so": NEW})
    assert failures(PolicyFits(), tmp_path) == [f"foo/a.so, foo/b.so need GLIBC_2.34, which {LINUX} does not promise"]


@pytest.mark.parametrize("rule", [PolicyFits(), ExternalLibraries()], ids=lambda rule: rule.id)
def test_tags_without_a_promise_and_wheels_without_binaries_are_skipped(tmp_path: Path, rule: PolicyFits) -> None:
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "linux"), files={"foo/a.so": NEW})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(rule, tmp_path) == {"skip": 2}


def test_a_tag_without_a_policy_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("2_28", "2_97"), files={"foo/a.so": NEW})
    assert verdicts(PolicyFits(), tmp_path) == {"unknown": 1}


def test_without_auditwheel_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "auditwheel.policy", None)
    _policies.cache_clear()
    policy_of.cache_clear()
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW})
    assert verdicts(PolicyFits(), tmp_path) == {"unknown": 1}
    _policies.cache_clear()
    policy_of.cache_clear()


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


def test_macos_libraries_that_fit_pass(tmp_path: Path) -> None:
    both = fat((INTEL, macho(cpu=INTEL, minimum=(10, 13))), (ARM, macho(minimum=(11, 0))))
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-macosx_10_13_universal2.whl", files={"foo/a.so": both})
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": macho(), "foo/.dylibs/b.dylib": macho()})
    assert verdicts(MacTags(), tmp_path) == {"pass": 2}


def test_macos_libraries_that_do_not_fit_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": macho(minimum=(15, 0))})
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-macosx_11_0_universal2.whl", files={"foo/a.so": macho()})
    assert failures(MacTags(), tmp_path) == [
        "foo/a.so has no code for x86_64",
        "foo/a.so needs macOS 15.0 on arm64, the tag promises 14.0",
    ]


def test_other_systems_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": OLD})
    assert verdicts(MacTags(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize(
    ("wheel", "file", "content"),
    [
        (PLAIN, "foo/a.so", elf()),
        (f"foo-1.0-cp312-cp312-{WINDOWS}.whl", "foo/a.pyd", pe()),
        (f"foo-1.0-cp312-cp312-{MAC}.whl", "foo/a.so", macho()),
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
        (PLAIN, "foo/a.so", elf(machine=183), "foo/a.so is ELF for aarch64"),
        (PLAIN, "foo/a.so", macho(), "foo/a.so is Mach-O for arm64"),
        (f"foo-1.0-cp312-cp312-{WINDOWS}.whl", "foo/a.pyd", pe(machine=0xAA64), "foo/a.pyd is PE for arm64"),
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


def test_a_wheel_without_binaries_has_no_machine(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(MachineType(), tmp_path) == {"skip": 1}
