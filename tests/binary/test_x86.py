from __future__ import annotations

import pytest

from support.binaries import BMI, CPUID, EVEX, LEGACY, PLAIN, SHLX, SSE4, TZCNT, VEX, elf, macho_code, pe_code
from variant_publish.binary.elf import Elf
from variant_publish.binary.functions import elf_functions, macho_functions, pe_functions
from variant_publish.binary.macho import macho_slices
from variant_publish.binary.pe import Pe
from variant_publish.binary.x86 import CodeSample, sample


def sample_of(*functions: bytes, limit: int = 1 << 20, imports: tuple[str, ...] = ()) -> CodeSample:
    found = elf_functions(Elf(elf(functions=functions)))
    return CodeSample() if found is None else sample(found, imports, limit)


def test_functions_are_counted_by_their_encoding() -> None:
    found = sample_of(*[LEGACY] * 3, *[VEX] * 2, EVEX, PLAIN, SHLX, SSE4, BMI, TZCNT)
    assert found == CodeSample(legacy=4, vex=3, evex=1, v2=1, scalar=2)


@pytest.mark.parametrize(
    ("functions", "level"),
    [
        ([LEGACY] * 3 + [PLAIN] * 9, 1),
        ([PLAIN], 1),
        ([VEX] * 10, 3),
        ([VEX] * 3, None),
        ([VEX] * 9 + [LEGACY] * 2, 3),
        ([VEX] * 9 + [LEGACY] * 30, None),
        ([VEX] * 60 + [EVEX] * 2, 4),
        ([EVEX] * 6, 4),
        ([LEGACY] * 60 + [SSE4] * 5, 2),
        ([LEGACY] * 60 + [SSE4] * 2, None),
        ([PLAIN] * 60 + [BMI] * 5, 3),
        ([PLAIN] * 60 + [BMI], None),
        ([TZCNT] * 60, 1),
    ],
)
def test_what_is_there_always_runs_where_nothing_asks(functions: list[bytes], level: int | None) -> None:
    assert sample_of(*functions).needed == level


@pytest.mark.parametrize(
    ("functions", "level"),
    [
        ([VEX] * 60, 3),
        ([VEX] * 10, None),
        ([VEX] * 60 + [LEGACY] * 30, 1),
        ([VEX] * 60 + [EVEX] * 2, 3),
        ([VEX] * 60 + [EVEX] * 20, 4),
        ([LEGACY] * 60 + [SSE4] * 30, 1),
        ([LEGACY] * 60 + [BMI] * 30, 1),
    ],
)
def test_where_the_processor_is_asked_all_of_it_must_be_of_the_level(functions: list[bytes], level: int | None) -> None:
    assert sample_of(*functions, CPUID).needed == level
    assert sample_of(*functions, imports=("__cpu_model",)).needed == level


def test_bytes_that_only_look_like_a_question_are_none() -> None:
    # mov eax, 0xa20f: the bytes of CPUID inside a constant
    assert not sample_of(*[VEX] * 10, bytes.fromhex("b80fa20000c3")).dispatches
    assert sample_of(*[VEX] * 10, CPUID).dispatches


def test_a_question_that_is_assembled_without_an_entry_of_its_own_is_one() -> None:
    # As in x264: the kernels and their question lie behind the last function that the compiler made.
    assert sample_of(*[SSE4] * 9, LEGACY + b"\x90" * 200_000 + CPUID, LEGACY).dispatches


def test_a_sample_meets_the_whole_code() -> None:
    found = sample_of(*[LEGACY] * 3000, *[VEX] * 3000, limit=16 * 600)
    assert 200 < found.legacy < 500
    assert 200 < found.vex < 500


def test_functions_of_windows_and_macos_are_found() -> None:
    functions = [VEX] * 6 + [LEGACY] * 2 + [CPUID]
    dll, dylib = pe_functions(Pe(pe_code(functions))), macho_functions(macho_slices(macho_code(functions)))
    assert dll is not None
    assert dylib is not None
    assert sample(dll, ()) == sample(dylib, ()) == CodeSample(legacy=2, vex=6, dispatches=True)


def test_other_architectures_and_empty_files_have_none() -> None:
    assert elf_functions(Elf(elf(machine=183, functions=[VEX]))) is None
    assert sample_of() == CodeSample()
