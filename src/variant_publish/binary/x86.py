"""Which x86-64 level code needs: a sample of its functions, disassembled by iced-x86.

Compilers that are told of AVX encode every vector instruction with it, so code for v3 has no function with SSE alone.
A library that chooses its kernels when it runs has both, and asks the processor (CPUID); in one that never asks,
whatever is there runs everywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from variant_publish.binary.content import search
from variant_publish.binary.functions import FunctionTable

SAMPLE = 256 * 1024
"""Bytes of code that are looked at in one library."""

_FEW, _ENOUGH = 5, 50
"""Functions below which a sample says nothing: of code that never asks the processor, and of any."""

_UNIFORM, _MOST, _MANY_EVEX = 0.95, 0.5, 0.1
_CPUID = rb"\x0f\xa2"
_ASKING = frozenset(
    {"__cpu_model", "__cpu_indicator_init", "__x86_get_cpuid_feature_leaf", "getauxval", "cpuinfo_initialize"}
)
_CANDIDATES = 64

_LEVELS = {
    4: ("AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"),
    3: ("AVX", "AVX2", "BMI1", "BMI2", "F16C", "FMA", "LZCNT", "MOVBE"),
    2: ("SSE3", "SSSE3", "SSE4_1", "SSE4_2", "POPCNT", "CMPXCHG16B"),
    1: ("X64", "SSE", "SSE2", "CMOV", "INTEL8086", "INTEL186", "INTEL286", "INTEL386", "INTEL486"),
}
"""The features of each level; what needs others (AES, AMX) is chosen at run time by everyone."""


class CodeSample(msgspec.Struct, frozen=True):
    """Count the functions of a sample.

    Of those that touch vector registers: `legacy` by SSE only, `vex` by AVX, `evex` by AVX-512 among the latter. `v2`
    are functions with an instruction of x86-64-v2 and none above, `scalar` those with one of v3 and no vector
    register. `dispatches` says whether the library asks what the processor has.
    """

    legacy: int = 0
    vex: int = 0
    evex: int = 0
    v2: int = 0
    scalar: int = 0
    dispatches: bool = False

    @property
    def total(self) -> int:
        """Return the number of functions that touch vector registers."""
        return self.legacy + self.vex

    @property
    def is_enough(self) -> bool:
        """Return whether there are functions enough to judge by."""
        return self.total >= (_ENOUGH if self.dispatches else _FEW)

    @property
    def is_avx(self) -> bool:
        """Return whether nearly all functions use AVX: the compiler was told that every machine has it.

        Where nothing chooses, most are enough: the others are the compiler's own, for start-up.
        """
        return self.vex > 0 and self.vex >= (_UNIFORM if self.dispatches else _MOST) * self.total

    @property
    def is_baseline(self) -> bool:
        """Return whether nearly all functions use SSE only: the compiler was told of no more."""
        return self.total > 0 and self.legacy >= _UNIFORM * self.total

    @property
    def needed(self) -> int | None:
        """Return the level that a machine needs for the code that always runs; None where too little is seen."""
        if self.is_avx:
            if not self.is_enough:
                return None
            return 4 if self.evex > 1 and (not self.dispatches or self.evex >= _MANY_EVEX * self.vex) else 3
        if self.dispatches:
            return 1  # what is above may be chosen; of SSE4 kernels and code for v2 nobody can tell which it is
        if self.vex:
            return None  # some of it, and nothing here that chooses: another library may
        if self.scalar:
            return 3 if self.scalar >= _FEW else None
        return 1 if not self.v2 else 2 if self.v2 >= _FEW else None

    def __str__(self) -> str:
        parts = [f"{self.vex} with AVX", f"{self.evex} with AVX-512", f"{self.v2} with SSE4", f"{self.legacy} with SSE"]
        found = ", ".join(part for part in parts if not part.startswith("0 ")) or "none"
        more = f", {self.scalar} others with BMI" if self.scalar else ""
        asks = "it asks what the processor has" if self.dispatches else "nothing in it asks what the processor has"
        return f"{self.total} functions with vector code: {found}{more}; {asks}"


def sample(functions: FunctionTable, imports: Collection[str], limit: int = SAMPLE) -> CodeSample:
    """Count over functions spread evenly over the code, up to `limit` bytes."""
    from iced_x86 import Decoder

    legacy = vex = evex = v2 = scalar = 0
    for code in functions.sampled(limit):
        found = 0
        for number in set(map(_CODE, Decoder(64, code))):
            found |= _SEEN[number]
        legacy += found & _VECTORS == _LEGACY
        vex += found & _VEX > 0
        evex += found >= _LEVEL << 4
        v2 += _LEVEL << 2 <= found < _LEVEL << 3
        scalar += found >= _LEVEL << 3 and not found & _VEX
    dispatches = bool(vex or v2 or scalar) and _asks(functions, imports)
    return CodeSample(legacy, vex, evex, v2, scalar, dispatches)


def _asks(functions: FunctionTable, imports: Collection[str]) -> bool:
    """Return whether code asks for features of the processor; also where too many bytes only look like it."""
    if not _ASKING.isdisjoint(imports):
        return True
    found = search(functions.data, (_CPUID,), (functions.extent,))
    codes = filter(None, (functions.around(place) for place, _ in found))
    for code in islice(codes, _CANDIDATES):
        if _has_cpuid(code):
            return True
    return next(codes, None) is not None


def _has_cpuid(code: bytes) -> bool:
    from iced_x86 import Decoder, Mnemonic

    return any(instruction.mnemonic == Mnemonic.CPUID for instruction in Decoder(64, code))


_CODE = attrgetter("code")
_LEGACY, _VEX, _VECTORS, _LEVEL = 1, 2, 3, 4
"""The bits of what a function has: vector registers by SSE and by AVX, and from the third on, its levels."""


class _Seen(dict[Any, int]):
    """The bits of instructions by their codes, each worked out once."""

    def __missing__(self, code: Any) -> int:
        from iced_x86 import EncodingKind, Instruction, Mnemonic, OpCodeInfo

        info, instruction = OpCodeInfo(code), Instruction()
        instruction.code = code
        # TZCNT runs on every machine, as BSF.
        level = 1 if instruction.mnemonic == Mnemonic.TZCNT else _level(set(instruction.cpuid_features()))
        has_vectors = any(info.op_kind(number) in _vector_operands() for number in range(info.op_count))
        encoding = {EncodingKind.LEGACY: _LEGACY, EncodingKind.VEX: _VEX, EncodingKind.EVEX: _VEX}.get(info.encoding, 0)
        self[code] = found = (encoding if has_vectors else 0) | _LEVEL << level
        return found


_SEEN = _Seen()


def _level(features: set[int]) -> int:
    """Return the level of an instruction's features; 1 where one of them is of no level."""
    ranks = [_ranks().get(feature, 0) for feature in features]
    return max(ranks) if ranks and all(ranks) else 1


@cache
def _ranks() -> dict[int, int]:
    from iced_x86 import CpuidFeature

    return {getattr(CpuidFeature, name): level for level, names in _LEVELS.items() for name in names}


@cache
def _vector_operands() -> frozenset[int]:
    from iced_x86 import OpCodeOperandKind

    prefixes = ("XMM_", "YMM_", "ZMM_")
    return frozenset(
        value for name, value in vars(OpCodeOperandKind).items() if name.startswith(prefixes) and "VP4" not in name
    )
