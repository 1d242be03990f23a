from __future__ import annotations

from pathlib import Path

from support.binaries import fat, macho
from support.checks import MAC, PLAIN, failures, verdicts
from support.code import OLD_LIBC
from support.wheels import make_wheel
from variant_publish.check.rules.system_libraries import MacTags

ARM, INTEL = 0x0100000C, 0x01000007


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


def test_libraries_that_lack_the_same_are_told_once(tmp_path: Path) -> None:
    new = fat((INTEL, macho(cpu=INTEL, minimum=(14, 4))), (ARM, macho(minimum=(14, 4))))
    make_wheel(
        tmp_path, "foo-1.0-cp312-cp312-macosx_14_0_universal2.whl", files={f"foo/{one}.so": new for one in "abcd"}
    )
    assert failures(MacTags(), tmp_path) == [
        "foo/a.so, foo/b.so, foo/c.so and 1 more need macOS 14.4 on arm64 and x86_64, the tag promises 14.0"
    ]


def test_a_set_of_tags_promises_the_oldest_and_what_is_still_distributed(tmp_path: Path) -> None:
    tags = "macosx_10_6_intel.macosx_10_9_intel.macosx_10_9_x86_64"
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{tags}.whl", files={"a.so": macho(cpu=INTEL, minimum=(10, 12))})
    assert failures(MacTags(), tmp_path) == ["a.so needs macOS 10.12 on x86_64, the tag promises 10.6"]


def test_macos_10_16_is_what_11_was_called(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-macosx_10_16_x86_64.whl",
               files={"a.so": macho(cpu=INTEL, minimum=(11, 0))})  # fmt: skip
    assert verdicts(MacTags(), tmp_path) == {"pass": 1}


def test_other_systems_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": OLD_LIBC})
    assert verdicts(MacTags(), tmp_path) == {"skip": 1}
