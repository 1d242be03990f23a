"""Rules on GPU code: the architectures that are claimed are in the binaries, and it is of the CUDA that is claimed."""

from __future__ import annotations

from collections.abc import Iterable

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.scan import Scan
from variant_publish.check.engine.binaries import BinaryRule, Claims, code_names, code_of
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, Severity, some
from variant_publish.model.matrix import natural_key
from variant_publish.providers.base import VariantProvider


class _ClaimRule(BinaryRule):
    """Check the device code of wheels that claim some."""

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim nothing."""
        return None if Claims.of(context, wheel).code else "the wheel claims no GPU architecture"


class ClaimedArchitectures(_ClaimRule):
    """Prove that every GPU architecture that the properties claim is in the binaries.

    A machine with that GPU is given the wheel, and the first kernel fails with "no kernel image is available".
    """

    id = "VP503"
    hint = "compile for these architectures too, or take them out of the properties"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look for each claimed value in what all files have together."""
        for provider, claimed in Claims.of(context, wheel).code:
            inside = code_of(provider, scan.binaries)
            if not inside:
                yield Outcome.unknown(
                    f"no binary holds device code that can be read, so the claimed {provider.code_feature} cannot be"
                    " proven",
                    "nothing to do where kernels are compiled on the machine or come from another distribution",
                )
            elif missing := [one for one in claimed if not _is_there(provider, one, inside)]:
                names = some(_names(provider, missing), 9)
                yield f"it claims {names}, its binaries have {some(code_names(provider, scan.binaries), 12)}"


class OtherArchitectures(_ClaimRule):
    """Report device code that the properties do not claim, and of files that lack some of what is claimed.

    Unclaimed code is bytes that no machine chooses the wheel for; PTX beside cubins is mostly on purpose. A single file
    without an architecture fails only when its kernels are called.
    """

    id = "VP504"
    severity = Severity.INFO
    hint = "compile all files for the same architectures"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare the whole wheel, then each file with device code."""
        hint = "claim them, or leave them out of the build; nothing to do if it is on purpose"
        for provider, claimed in Claims.of(context, wheel).code:
            inside = code_of(provider, scan.binaries)
            if extra := [code for code in inside if not any(provider.meets(one, code) for one in claimed)]:
                yield f"it has code for {some(_names(provider, extra), 9)} too", hint
            for binary in scan.binaries:
                own = binary.shows(provider.namespace).code
                lacking = [one for one in claimed if _is_there(provider, one, inside) > _is_there(provider, one, own)]
                if own and lacking:
                    names = some(_names(provider, lacking), 9)
                    yield f"{binary.path} has no code for {names}, other files of the wheel have"


class RuntimeMajor(BinaryRule):
    """Prove that the libraries of CUDA or ROCm that a wheel needs, or was compiled with, are of the claimed version.

    cu128 in a name and libcudart.so.11 inside is how a release job that took the wrong image looks. A minimum version
    of the driver cannot be proven from a file.
    """

    id = "VP505"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim no version of a runtime."""
        return None if Claims.of(context, wheel).runtimes else "the wheel claims no CUDA or ROCm version"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Take needed libraries as the evidence, else what the compiler left behind."""
        for provider, claimed in Claims.of(context, wheel).runtimes:
            seen = False
            for binary in scan.binaries:
                found = binary.shows(provider.namespace)
                seen = seen or bool(found.runtimes)
                if found.runtimes and claimed not in found.runtimes:
                    has = f"{found.why} of {provider.runtime} {some(map(str, sorted(found.runtimes)))}"
                    yield (
                        f"it claims {provider.runtime} {claimed}, and {binary.path} {has}",
                        f"build it with that {provider.runtime}, or correct the variant",
                    )
            if not seen:
                which = f"{provider.runtime} {claimed}"
                yield Outcome.unknown(
                    f"no binary tells which {provider.runtime} it is for, so {which} cannot be proven",
                    f"nothing to do where {provider.runtime} is loaded when the package runs",
                )


def _names(provider: VariantProvider, values: Iterable[str]) -> list[str]:
    return [provider.code_name(value) for value in sorted(values, key=natural_key)]


def _is_there(provider: VariantProvider, claimed: str, inside: Iterable[str]) -> bool:
    return any(provider.meets(claimed, code) for code in inside)
