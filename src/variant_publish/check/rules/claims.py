"""Rules on claims that the rest of the wheel contradicts: another libc, another CUDA, nothing of the GPU at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from variant_publish.archive.wheel import DescribedWheel, WholeWheel
from variant_publish.binary.scan import Scan
from variant_publish.check.engine.binaries import (
    BinaryRule,
    Claims,
    GenericRule,
    code_names,
    code_of,
    is_library,
    libraries,
)
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.requires import parsed
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, WheelRule, some
from variant_publish.model.quantity import count
from variant_publish.model.variant import GENERIC
from variant_publish.providers import catalog
from variant_publish.providers.base import VariantProvider

_MUSL = re.compile(r"(libc\.musl-|ld-musl-|libc\.so$)")
_GNU = re.compile(r"(libc\.so\.6$|ld-linux)")
_PACKAGE = re.compile(r"(?:.+-cu|cupy-cuda)([0-9]{2})x?")


class SomethingOfTheGpu(BinaryRule):
    """Prove that a wheel for a GPU has something of it: device code, its libraries, or their names to load later.

    A build without the toolkit makes the CPU's code without a word, and the label says CUDA all the same: users
    download a variant that never touches their GPU.
    """

    id = "VP515"
    hint = "build it with the toolkit, or take the claim off"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that claim no GPU."""
        return None if _gpus(wheel, context) else "the wheel claims no GPU"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look into all files, and at the requirements, which may bring the kernels."""
        requires = " ".join(wheel.metadata.requires_dist).lower()
        for provider in _gpus(wheel, context):
            shown = any(binary.shows(provider.namespace) for binary in scan.binaries)
            if not shown and not any(word in requires for word in provider.packages):
                yield f"it claims {provider.namespace}, and its binaries have neither its device code nor its libraries"


class NotTheGenericAgain(ReleaseRule[DescribedWheel]):
    """Prove that a variant for other hardware has other binaries than the generic wheel.

    A build that ignored the flags makes the generic wheel a second time, and users download it under another name.
    Variants that differ by the ABI of a dependency, or by requirements, may share their binaries.
    """

    id = "VP516"
    severity = Severity.WARNING
    hint = "build it with the flags of the variant, or drop the variant"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant that has a generic wheel of the same tags, by the hashes of RECORD."""
        release, pairs = context.release, 0
        generic = {wheel.name.tags: wheel for wheel in self.wheels(context) if wheel.name.serves_everyone}
        for wheel in self.wheels(context):
            other = generic.get(wheel.name.tags)
            if other is None or other is wheel or release.variant_of(wheel.name) == GENERIC:
                continue
            mine, theirs = _libraries(wheel), _libraries(other)
            if not mine or wheel.metadata.requires_dist != other.metadata.requires_dist:
                continue
            pairs += 1
            text = f"it has {count(len(mine), 'library', 'libraries')}, byte for byte those of {other.filename}"
            yield self.judged(mine == theirs, text, file=wheel.filename)
        if not pairs:
            yield Outcome.skipped("no variant with binaries has a generic wheel of the same tags and requirements")


class GenericForOneDevice(GenericRule):
    """Report a generic wheel that was built for a GPU, in a release that has variants.

    Everyone without a better variant gets it: machines without that GPU download code that they cannot run, or cannot
    even load. The generic wheel beside variants is the one for the CPU, or one for many devices.
    """

    id = "VP517"
    severity = Severity.WARNING

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look for device code of one architecture, and for modules that need a GPU's runtime."""
        for provider in (one for one in catalog.providers() if one.code_feature):
            code = code_of(provider, scan.binaries)
            needing = [
                binary.path
                for binary in libraries(scan)
                if binary.image.modules and binary.shows(provider.namespace).why.startswith("needs ")
            ]
            hint = "publish it as the variant that it is, and build the generic wheel for the CPU"
            if len(code) == 1:
                names = some(code_names(provider, scan.binaries))
                yield f"it has device code for {names} alone", hint
            elif needing:
                yield f"{some(needing)} needs the libraries of {provider.runtime}", hint


class OneLibc(BinaryRule):
    """Prove that the binaries are linked with the libc that the platform tag names: glibc, or musl.

    A musl build called manylinux installs nearly everywhere and loads nowhere, and the reverse.
    """

    id = "VP518"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels whose tag names no libc."""
        named = any(platform.startswith(("manylinux", "musllinux")) for platform in wheel.name.platform)
        return None if named else "no manylinux or musllinux tag"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look for the libc, or the loader, of the other family among the needed libraries."""
        says_musl = any(platform.startswith("musllinux") for platform in wheel.name.platform)
        other, name = (_GNU, "glibc") if says_musl else (_MUSL, "musl")
        wrong = [
            binary.path for binary in libraries(scan) if any(other.match(library) for library in binary.image.needed)
        ]
        if wrong:
            yield (
                f"{some(wrong)} is linked with {name}, and the tag is {'.'.join(wheel.name.platform)}",
                f"give the wheel the tag of {name}, or build it in the image of its tag",
            )


class RequiresTheSameCuda(WheelRule[DescribedWheel]):
    """Prove that the packages of CUDA that a wheel requires are of the CUDA that it claims.

    `nvidia-cublas-cu12` beside a cu130 build is another major version of every library: the import fails, or loads two.
    """

    id = "VP519"

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave out wheels that claim no CUDA version."""
        return None if _cuda(wheel, context) else "the wheel claims no CUDA version"

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the number at the end of each required package's name."""
        claimed = _cuda(wheel, context)
        for name in (one.name.lower() for one in parsed(wheel.metadata.requires_dist)):
            match = _PACKAGE.fullmatch(name)
            if match and int(match[1]) != claimed:
                yield (
                    f"it claims CUDA {claimed}, and requires {name}",
                    f"require the package of CUDA {claimed}, or correct the variant",
                )


def _gpus(wheel: DescribedWheel, context: Context) -> list[VariantProvider]:
    claimed = Claims.of(context, wheel).properties.namespaces
    return [one for one in catalog.providers() if one.code_feature and one.namespace in claimed]


def _cuda(wheel: DescribedWheel, context: Context) -> int | None:
    runtimes = Claims.of(context, wheel).runtimes
    return next((major for provider, major in runtimes if provider.namespace == "nvidia"), None)


def _libraries(wheel: DescribedWheel) -> dict[str, str]:
    rows = () if wheel.record is None else wheel.record.rows
    return {row.path: row.digest for row in rows if is_library(row.path) and row.digest}
