from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import CPUID, LEGACY, SSE4, VEX, elf, macho_code, pe_code
from support.checks import PLAIN, failures, release_in, verdicts
from support.code import LEGACY_CODE, V3, VEX_CODE
from support.compiled import FEW, LEVELS, MANY, library
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.rules.cpu import CodeMatchesLevel, CodeWithinBaseline, CodeWithinLevel

WINDOWS = "foo-1.0-cp312-cp312-win_amd64.whl"
MAC = "foo-1.0-cp312-cp312-macosx_11_0_x86_64.whl"


def of(folder: Path, said: int | None, files: dict[str, bytes], name: str = PLAIN) -> Path:
    return make_wheel(folder, name.replace(".whl", f"+x86_64_v{said}.whl") if said else name, files=files)


@pytest.mark.parametrize("functions", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("said", [None, *LEVELS])
@pytest.mark.parametrize("built", LEVELS)
def test_code_of_each_level_under_each_label(tmp_path: Path, built: int, said: int | None, functions: int) -> None:
    of(tmp_path, said, {"foo/a.so": library(built, functions)})
    above, baseline = verdicts(CodeWithinLevel(), tmp_path), verdicts(CodeWithinBaseline(), tmp_path)
    promised = said or 1
    is_mild = said is None and built == 2
    assert above == ({"fail": 1} if built > promised and not is_mild else {"pass": 1})
    assert baseline == ({"fail": 1} if is_mild else {"pass": 1})
    below = verdicts(CodeMatchesLevel(), tmp_path)
    if promised < 3:
        assert below == {"skip": 1}
    elif built < 3 or (promised, built, functions) == (4, 3, MANY):
        assert below == {"fail": 1}
    else:  # few functions that use no AVX-512 prove nothing
        assert below == ({"unknown": 1} if promised == 4 and functions == FEW else {"pass": 1})


@pytest.mark.slow
@pytest.mark.parametrize("built", LEVELS)
@pytest.mark.parametrize("said", [None, 3])
def test_windows_libraries_are_read_too(tmp_path: Path, built: int, said: int | None) -> None:
    of(tmp_path, said, {"foo/a.pyd": library(built, MANY, "x86_64-w64-mingw32-gcc")}, WINDOWS)
    fails = built > 2 if said is None else built > said
    assert verdicts(CodeWithinLevel(), tmp_path) == ({"fail": 1} if fails else {"pass": 1})


def test_macos_libraries_are_read_too(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/a.so": macho_code([VEX] * 10)}, MAC)
    of(tmp_path / "dll", None, {"foo/a.pyd": pe_code([VEX] * 10)}, WINDOWS)
    assert verdicts(CodeWithinLevel(), tmp_path) == {"fail": 1}
    assert verdicts(CodeWithinLevel(), tmp_path / "dll") == {"fail": 1}


def test_the_finding_says_what_was_seen(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/a.so": elf(functions=[VEX] * 10), "foo.libs/b.so": VEX_CODE, "foo/c.so": LEGACY_CODE})
    assert failures(CodeWithinLevel(), tmp_path) == [
        (
            "it needs x86-64-v3, and promises x86-64-v1: foo/a.so, foo.libs/b.so"
            " (10 functions with vector code: 10 with AVX; nothing in it asks what the processor has)"
        )
    ]


def test_what_is_chosen_at_run_time_is_no_fault(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/a.so": elf(functions=[*[LEGACY, VEX] * 40, CPUID])})
    assert verdicts(CodeWithinLevel(), tmp_path) == {"pass": 1}


def test_too_little_above_the_promise_is_unknown(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/a.so": elf(functions=[VEX] * 3)})
    (found,) = CodeWithinLevel().check(Context(release_in(tmp_path)))
    assert (found.verdict, found.message) == (
        "unknown",
        (
            "it may need more than x86-64-v1: foo/a.so (3 functions with vector code: 3 with AVX; nothing in it asks what"
            " the processor has)"
        ),
    )
    of(tmp_path / "v3", 3, {"foo/a.so": elf(functions=[VEX] * 3)})
    assert verdicts(CodeWithinLevel(), tmp_path / "v3") == {"pass": 1}


def test_a_library_whose_name_says_when_it_is_loaded_needs_one_beside_it(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/fuzz_avx2.so": VEX_CODE, "foo/fuzz.so": LEGACY_CODE})
    assert verdicts(CodeWithinLevel(), tmp_path) == {"pass": 1}
    of(tmp_path / "alone", None, {"foo/fuzz_avx2.so": VEX_CODE})
    assert verdicts(CodeWithinLevel(), tmp_path / "alone") == {"unknown": 1}


def test_a_project_may_declare_what_its_wheels_need(tmp_path: Path) -> None:
    of(tmp_path, None, {"foo/a.so": VEX_CODE, "foo/b.so": elf(functions=[SSE4] * 9)})
    config = '[tool.variant-publish.check]\nbaseline = "{}"\n'
    assert verdicts(CodeWithinLevel(), tmp_path, config.format("v3")) == {"pass": 1}
    assert verdicts(CodeWithinBaseline(), tmp_path, config.format("v2")) == {"pass": 1}
    assert verdicts(CodeWithinLevel(), tmp_path, config.format("v2")) == {"fail": 1}


def test_other_machines_and_fast_checks_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", files={"foo/a.so": VEX_CODE})
    assert verdicts(CodeWithinLevel(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path / "v3", V3, files={"foo/a.so": VEX_CODE})
    found = list(CodeWithinLevel().check(Context(release_in(tmp_path / "v3"), fast=True)))
    assert [outcome.message for outcome in found] == ["--fast leaves the disassembling out"]
