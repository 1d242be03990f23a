"""Rules on GPU code: the architectures that are claimed are in the binaries, and it is of the CUDA that is claimed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.cuda import cuda_majors
from variant_publish.binary.fatbin import DeviceCode
from variant_publish.binary.scan import Binary, Scan
from variant_publish.check.engine.binaries import BinaryRule, Claims
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Severity, some

_NO_CLAIM = "the wheel claims no sm_arch"


class ClaimedArchitectures(BinaryRule):
    """Prove that every sm_arch that the properties claim is in the binaries.

    A machine with that GPU is given the wheel, and the first kernel fails with "no kernel image is available".
    """

    id = "VP503"
    title = "every claimed GPU architecture is in the binaries"
    severity = Severity.ERROR

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim nothing."""
        return None if Claims.of(context.release, wheel).codes else _NO_CLAIM

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Look for each claimed value in what all files have together."""
        claimed = Claims.of(context.release, wheel).codes
        inside = device_codes(scan.binaries)
        if not inside:
            yield Outcome.unknown(
                "no binary holds device code that can be read, so the claimed sm_arch cannot be proven",
                "nothing to do where kernels are compiled on the machine or come from another distribution",
                file=wheel.filename,
            )
        elif missing := [code for code in claimed if not _is_there(code, inside)]:
            yield Outcome.failed(
                f"it claims {some(map(str, missing), 9)}, its binaries have {some(map(str, inside), 12)}",
                "compile for these architectures too (nvcc -gencode), or take them out of the properties",
                file=wheel.filename,
            )


class OtherArchitectures(BinaryRule):
    """Report device code that the properties do not claim, and of files that lack some of what is claimed.

    Unclaimed code is bytes that no machine chooses the wheel for; PTX beside cubins is mostly on purpose. A single file
    without an architecture fails only when its kernels are called.
    """

    id = "VP504"
    title = "binaries have the claimed GPU architectures and no others, each of them"
    severity = Severity.INFO

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim nothing."""
        return None if Claims.of(context.release, wheel).codes else _NO_CLAIM

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Compare the whole wheel, then each file with device code."""
        claimed = Claims.of(context.release, wheel).codes
        hint = "claim them, or leave them out of the build; nothing to do if it is on purpose"
        inside = device_codes(scan.binaries)
        if extra := [code for code in inside if not any(_is_there(one, (code,)) for one in claimed)]:
            yield Outcome.failed(f"it has code for {some(map(str, extra), 9)} too", hint, file=wheel.filename)
        for binary in scan.binaries:
            own = binary.device.codes
            lacking = [code for code in claimed if _is_there(code, inside) and not _is_there(code, own)]
            if own and lacking:
                message = f"{binary.path} has no code for {some(map(str, lacking), 9)}, other files of the wheel have"
                yield Outcome.failed(message, "compile all files for the same architectures", file=wheel.filename)


class CudaMajor(BinaryRule):
    """Prove that the libraries of CUDA that a wheel needs, or was compiled with, are of the claimed major version.

    cu128 in a name and libcudart.so.11 inside is how a release job that took the wrong image looks. A minimum version
    of the driver cannot be proven from a file.
    """

    id = "VP505"
    title = "the CUDA that is needed is the CUDA that is claimed"
    severity = Severity.ERROR

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim no CUDA version."""
        return None if Claims.of(context.release, wheel).cuda else "the wheel claims no CUDA version"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterator[Outcome]:
        """Take needed libraries as the evidence, else what the compiler left behind."""
        claimed = Claims.of(context.release, wheel).cuda
        seen = False
        for binary in scan.binaries:
            needed, why = cuda_majors(binary)
            seen = seen or bool(needed)
            if needed and claimed not in needed:
                yield Outcome.failed(
                    f"it claims CUDA {claimed}, and {binary.path} {why} of CUDA {some(map(str, sorted(needed)))}",
                    "build it with that CUDA, or correct the variant",
                    file=wheel.filename,
                )
        if not seen:
            yield Outcome.unknown(
                f"no binary tells which CUDA it is for, so CUDA {claimed} cannot be proven",
                "nothing to do where CUDA is loaded when the package runs",
                file=wheel.filename,
            )


def device_codes(binaries: Iterable[Binary]) -> tuple[DeviceCode, ...]:
    """Return the device code of several binaries, each kind once, sorted."""
    return tuple(sorted({code for binary in binaries for code in binary.device.codes}))


def _is_there(claimed: DeviceCode, inside: Iterable[DeviceCode]) -> bool:
    """Return whether the claim is met; a cubin for "90a" runs on 9.0 as one for "90" does, the reverse is not true."""
    return any(
        (code.arch, code.is_ptx) == (claimed.arch, claimed.is_ptx) and claimed.suffix in ("", code.suffix)
        for code in inside
    )
