"""Rules on instruction sets: code needs no more than the label says, and uses what it says."""

from __future__ import annotations

from collections.abc import Iterator

from variant_publish.archive.wheel import Wheel, WholeWheel
from variant_publish.binary.scan import Scan
from variant_publish.check.engine.binaries import BinaryRule, Claims, code_names, libraries
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Severity, some
from variant_publish.model.variant import GENERIC
from variant_publish.providers import catalog

_FAST = "--fast leaves the disassembling out"


class IsaNote(BinaryRule):
    """Prove that no binary demands a higher x86-64 level than the wheel's label.

    A binary linked with `-z x86-64-v3` carries a note, and the loader refuses it on lesser machines. Only such binaries
    can fail here; VP507 and VP508 look at the code of the others.
    """

    id = "VP506"
    title = "ISA notes are not above the label"
    severity = Severity.ERROR

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out other architectures."""
        return _not_x86(wheel)

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Compare the note of each file, where there is one."""
        label = Claims.of(context.release, wheel).level or 1
        noted = [binary for binary in scan.binaries if binary.image.isa is not None]
        if not noted:
            yield Outcome.skipped("no binary has an ISA note")
        for binary in noted:
            if (binary.image.isa or 1) > label:
                yield Outcome.failed(
                    f"{binary.path} demands x86-64-v{binary.image.isa}, and the wheel is for x86-64-v{label}",
                    "link it without -z x86-64-vN, or publish the wheel as that variant",
                    file=wheel.filename,
                )


class CodeMatchesLevel(BinaryRule):
    """Report a wheel for x86-64-v3 or v4 whose own code was compiled for the baseline.

    Someone set the label and forgot the compiler flag: users download another wheel for nothing. Vector instructions of
    a sample of functions are counted; libraries that choose their kernels when they run have both kinds and pass.
    """

    id = "VP507"
    title = "code of a v3 or v4 wheel uses AVX"
    severity = Severity.WARNING

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim no such level."""
        if (Claims.of(context.release, wheel).level or 1) < 3:
            return "the wheel claims no x86-64 level that has AVX"
        return _FAST if context.fast else _not_x86(wheel)

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Fail where every library of the project's own with enough functions is baseline code."""
        own = [(binary, binary.simd) for binary in scan.binaries if binary.simd and not binary.is_vendored]
        judged = [(binary, simd) for binary, simd in own if simd.is_enough]
        if not judged:
            yield Outcome.unknown(
                "too few functions with vector instructions to tell for which level the code was compiled",
                "nothing to do if the wheel has little code of that kind",
                file=wheel.filename,
            )
        elif all(simd.is_baseline for _, simd in judged):
            found = some(f"{binary.path}: {simd}" for binary, simd in judged)
            yield Outcome.failed(
                f"its code was compiled for the baseline ({found})",
                "compile with -march=x86-64-v3 (or RUSTFLAGS=-Ctarget-cpu=x86-64-v3), or drop the variant",
                file=wheel.filename,
            )


class GenericIsGeneric(BinaryRule):
    """Prove that a wheel without a variant runs on every machine of its platform.

    Nearly all vector code encoded as AVX means that the compiler was told that every machine has it; on one without,
    the import dies with an illegal instruction. A library that a GPU driver brings, needed to load, is the same for
    machines without that driver. Such wheels have been shipped as generic (vllm-ascend#11160).
    """

    id = "VP508"
    title = "a wheel without a variant runs everywhere"
    severity = Severity.ERROR

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out variants: they say what they need."""
        claims = Claims.of(context.release, wheel)
        return None if claims.is_generic and not claims.properties else "the wheel is a variant"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Look for AVX everywhere, and for drivers that the loader wants."""
        for binary in scan.binaries:
            if binary.simd and binary.simd.needs_avx and not binary.is_vendored:
                yield Outcome.failed(
                    f"{binary.path} needs AVX: {binary.simd}",
                    "compile it for the baseline, or publish the wheel as a variant with its level",
                    file=wheel.filename,
                )
        for binary in libraries(scan):
            if binary.image.modules and (drivers := list(filter(catalog.is_driver, binary.image.needed))):
                yield Outcome.failed(
                    f"{binary.path} cannot be loaded without {some(drivers)}, which is part of a driver",
                    "load the driver when it is used (dlopen), or publish the wheel as a variant",
                    file=wheel.filename,
                )


class GenericWithoutDeviceCode(BinaryRule):
    """Report a generic wheel with GPU code in a release that has variants.

    Users of the generic wheel carry code that only machines with a GPU run, and those have a variant of their own. Some
    projects ship it so on purpose.
    """

    id = "VP511"
    title = "the generic wheel beside variants has no GPU code"
    severity = Severity.INFO

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out variants, and releases without them."""
        if context.variants == (GENERIC,):
            return "the release has no variants"
        return None if Claims.of(context.release, wheel).is_generic else "the wheel is a variant"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Look for device code in any file."""
        for provider in catalog.providers():
            if codes := code_names(provider, scan.binaries):
                yield Outcome.failed(
                    f"it has GPU code for {some(codes, 9)}",
                    "build the generic wheel without it; nothing to do if it is on purpose",
                    file=wheel.filename,
                )


def _not_x86(wheel: Wheel) -> str | None:
    return None if any(platform.endswith("_x86_64") for platform in wheel.name.platform) else "not for x86-64"
