"""Rules on instruction sets: code needs no more than the label says, and uses what it says."""

from __future__ import annotations

from variant_publish.archive.wheel import Wheel, WholeWheel
from variant_publish.binary.scan import FOR_SOME, Binary, Scan
from variant_publish.check.engine.binaries import BinaryRule, Claims, GenericRule, code_names, libraries
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, Severity, some
from variant_publish.model.quantity import count
from variant_publish.providers import catalog
from variant_publish.providers.platforms import X86_64, platform_architecture

_FAST = "--fast leaves the disassembling out"
_SURE, _SURE_OF_EVEX = 5, 20
"""Functions below which nobody can tell what a compiler was told: of AVX, and of AVX-512, which fewer functions use."""
_EVERY_MAC = 2
"""What Apple's compiler takes for granted: SSSE3, and SSE4 since macOS 10.12."""
_MARCH = {1: "x86-64", 2: "x86-64-v2", 3: "x86-64-v3", 4: "x86-64-v4"}
_RUN = "run it on such a machine, or under an emulator: variant-publish check --run"


class IsaNote(BinaryRule):
    """Prove that no binary demands a higher x86-64 level than the wheel's label.

    A binary linked with `-z x86-64-v3` carries a note, and the loader refuses it on lesser machines. Only such binaries
    can fail here; VP507 and VP513 look at the code of the others.
    """

    id = "VP506"
    hint = "link it without -z x86-64-vN, or publish the wheel as that variant"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out other architectures."""
        return _not_x86(wheel)

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare the note of each file, where there is one."""
        label = Claims.of(context, wheel).level or 1
        noted = [binary for binary in scan.binaries if binary.image.isa is not None]
        if not noted:
            yield Outcome.skipped("no binary has an ISA note")
        for binary in noted:
            if (binary.image.isa or 1) > label:
                yield f"{binary.path} demands x86-64-v{binary.image.isa}, and the wheel is for x86-64-v{label}"


class CodeMatchesLevel(BinaryRule):
    """Report a wheel for x86-64-v3 or v4 whose own code was compiled for less.

    Someone set the label and forgot the compiler flag: users download another wheel for nothing. Vector instructions of
    a sample of functions are counted; libraries that choose their kernels when they run have both kinds and pass.
    """

    id = "VP507"
    severity = Severity.WARNING

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim no such level."""
        if (Claims.of(context, wheel).level or 1) < 3:
            return "the wheel claims no x86-64 level that has AVX"
        return _FAST if context.fast else _not_x86(wheel)

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Fail where every library of the project's own with enough functions is code for less."""
        level = Claims.of(context, wheel).level or 1
        own = [(binary, binary.simd) for binary in scan.binaries if binary.simd and not binary.is_vendored]
        enough = _SURE if level == 3 else _SURE_OF_EVEX
        judged = [one for one in own if one[1].total >= (_SURE if one[1].is_baseline else enough)]
        less = [one for one in judged if one[1].is_baseline or (level == 4 and not one[1].evex)]
        if not judged:
            most = max((simd.total for _, simd in own), default=0)
            yield Outcome.unknown(
                f"a library has vector instructions in {count(most, 'function')} at most: too few to tell for which"
                " level the code was compiled",
                "nothing to do if the wheel has little code of that kind",
            )
        elif len(less) == len(judged):
            found = some(f"{binary.path}: {simd}" for binary, simd in less)
            yield (
                f"it claims x86-64-v{level}, and its code was compiled for less ({found})",
                f"compile with -march=x86-64-v{level} (or RUSTFLAGS=-Ctarget-cpu=x86-64-v{level}), or drop the variant",
            )


class CodeWithinLevel(BinaryRule):
    """Prove that the code that always runs needs no higher x86-64 level than the wheel promises.

    On a machine with less the import, or the first call, dies with an illegal instruction. A label promises its level,
    and every other wheel `check.baseline`, which is v1 (v2 for macOS: every Mac of Intel has it). Code that a library
    chooses when it runs does not count: where nothing in a library asks what the processor has, all its code runs
    everywhere.
    """

    id = "VP513"
    lowest = 3

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out other architectures."""
        return _FAST if context.fast else _not_x86(wheel)

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare what each library needs; those that need the same are one outcome."""
        said = Claims.of(context, wheel).level
        mac = any(platform.startswith("macosx") for platform in wheel.name.platform)
        promised = said or max(int(context.release.config.check.baseline[1:]), _EVERY_MAC if mac else 1)
        groups: dict[int, list[Binary]] = {}
        for binary in libraries(scan):
            needed = binary.simd.needed if binary.simd else 1
            if (needed is None and promised < 3) or (needed is not None and needed > promised):
                name = _chosen_by_name(binary, scan)
                if name is not None:
                    needed = None if name else promised
                groups.setdefault(needed or 0, []).append(binary)
        for level, found in sorted(groups.items()):
            shown = f"{some(binary.path for binary in found)} ({found[0].simd})"
            if not level and self.lowest == 3:
                yield Outcome.unknown(f"it may need more than x86-64-v{promised}: {shown}", _RUN)
            elif level > promised and (level >= 3 or said is not None) == (self.lowest == 3):
                yield (
                    f"it needs x86-64-v{level}, and promises x86-64-v{promised}: {shown}",
                    f"compile it with -march={_MARCH[promised]}, or publish the wheel as the variant x86_64_v{level}",
                )


class CodeWithinBaseline(CodeWithinLevel):
    """Report wheels without a level of their own whose code needs x86-64-v2.

    Nearly every machine has SSE4 since 2009, and some projects need it on purpose: then say so, by
    `check.baseline = "v2"`, and it is no finding. Machines without it die with an illegal instruction.
    """

    id = "VP514"
    severity = Severity.WARNING
    lowest = 2


class GenericIsGeneric(BinaryRule):
    """Prove that a wheel without a variant loads on machines without a GPU.

    A library that a GPU driver brings, needed to load, is not there on machines without that driver. Such wheels have
    been shipped as generic (vllm-ascend#11160).
    """

    id = "VP508"
    hint = "load the driver when it is used (dlopen), or publish the wheel as a variant"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out variants: they say what they need."""
        claims = Claims.of(context, wheel)
        return None if claims.is_generic and not claims.properties else "the wheel is a variant"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look for drivers that the loader wants."""
        for binary in libraries(scan):
            if binary.image.modules and (drivers := list(filter(catalog.is_driver, binary.image.needed))):
                yield f"{binary.path} cannot be loaded without {some(drivers)}, which is part of a driver"


class GenericWithoutDeviceCode(GenericRule):
    """Report a generic wheel with GPU code in a release that has variants.

    Users of the generic wheel carry code that only machines with a GPU run, and those have a variant of their own. Some
    projects ship it so on purpose.
    """

    id = "VP511"
    severity = Severity.INFO
    hint = "build the generic wheel without it; nothing to do if it is on purpose"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look for device code in any file."""
        for provider in catalog.providers():
            if codes := code_names(provider, scan.binaries):
                yield f"it has GPU code for {some(codes, 9)}"


def _not_x86(wheel: Wheel) -> str | None:
    for platform in wheel.name.platform:
        if platform_architecture(platform) == X86_64 or platform.endswith("_universal2"):
            return None
    return "not for x86-64"


def _chosen_by_name(binary: Binary, scan: Scan) -> bool | None:
    """Return whether it is unknown when a library is loaded whose name says for which machines; None for other names.

    One beside it, with the same name but for that, is for the other machines: then it is known.
    """
    match = FOR_SOME.search(binary.name.lower())
    if match is None:
        return None
    stem = binary.name[: match.start()].rstrip("_-.")
    others = (one.name for one in scan.binaries if one.path != binary.path)
    return not (stem and any(name.startswith(stem) and not FOR_SOME.search(name.lower()) for name in others))
