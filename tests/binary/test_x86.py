from __future__ import annotations

from support.binaries import EVEX, LEGACY, PLAIN, SHLX, VEX, elf
from variant_publish.binary.elf import Elf
from variant_publish.binary.x86 import Simd, sample


def simd_of(*functions: bytes, limit: int = 1 << 20) -> Simd | None:
    return sample(Elf(elf(functions=functions)), limit)


def test_functions_are_counted_by_their_encoding() -> None:
    assert simd_of(*[LEGACY] * 3, *[VEX] * 2, EVEX, PLAIN, SHLX) == Simd(legacy=3, vex=3, evex=1)


def test_few_functions_prove_nothing() -> None:
    few, many = simd_of(*[VEX] * 9), simd_of(*[VEX] * 60)
    assert few is not None
    assert many is not None
    assert not few.needs_avx
    assert many.needs_avx
    assert not many.is_baseline


def test_mixed_code_is_neither() -> None:
    mixed = simd_of(*[LEGACY, VEX] * 40)
    assert mixed is not None
    assert not mixed.needs_avx
    assert not mixed.is_baseline


def test_a_sample_meets_the_whole_code() -> None:
    found = simd_of(*[LEGACY] * 3000, *[VEX] * 3000, limit=16 * 600)
    assert found is not None
    assert 200 < found.legacy < 500
    assert 200 < found.vex < 500


def test_other_architectures_and_empty_files_have_none() -> None:
    assert sample(Elf(elf(machine=183, functions=[VEX]))) is None
    assert simd_of() is None
    assert simd_of(PLAIN) is None
