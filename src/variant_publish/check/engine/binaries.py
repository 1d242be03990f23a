"""What rules about binaries share: the scan of each wheel, and what a wheel claims to be."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from variant_publish.archive.wheel import DescribedWheel, WholeWheel
from variant_publish.binary.fatbin import DeviceCode
from variant_publish.binary.scan import Binary, Scan
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule
from variant_publish.errors import VariantPublishError
from variant_publish.model.variant import GENERIC, Properties
from variant_publish.release.release import Release

NO_BINARIES = "the wheel has no binaries"

_CUDA = re.compile(r"cu(?:da)?_?([0-9]{2})(?:[0-9]|\.[0-9]+)?x?")
_LEVEL = re.compile(r"(?:x86_64_)?v([1-4])")
_LIBRARY = re.compile(r"\.(?:so(?:\.[0-9.]+)?|dylib|dll|pyd)$")

Problems = Iterator[tuple[str, str]]


class BinaryRule(ReleaseRule[WholeWheel]):
    """Check each wheel by what its binaries hold; one without binaries is skipped."""

    is_of_one_wheel = True

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel, several where several things are wrong with it."""
        for wheel in self.wheels(context):
            yield from self._of_wheel(wheel, context)

    def _of_wheel(self, wheel: WholeWheel, context: Context) -> Iterator[Outcome]:
        if reason := self.not_for(wheel, context):
            yield Outcome.skipped(reason)
            return
        try:
            scan = context.scan(wheel)
        except (VariantPublishError, OSError):
            yield Outcome.skipped("VP112 reports that the wheel cannot be read")
            return
        if not scan.binaries:
            yield Outcome.skipped(NO_BINARIES)
            return
        yield from list(self.outcomes(wheel, scan, context)) or [Outcome.passed()]

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Return the reason why the rule does not apply to the wheel, or None."""
        return None

    @abstractmethod
    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterable[Outcome]:
        """Yield what is not a pass; nothing for a wheel that passes."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a wheel says of the machines that it is for, by its properties, else by the usual names of variants.

    `level` is the x86-64 level, `cuda` the major version, `codes` the device code; None or empty where it says nothing.
    """

    is_generic: bool
    level: int | None = None
    cuda: int | None = None
    codes: tuple[DeviceCode, ...] = ()

    @classmethod
    def of(cls, release: Release, wheel: DescribedWheel) -> Claims:
        """Read the properties of the configuration or of variant.json, else the tags, label or local version."""
        properties = properties_of(release, wheel)
        name = wheel.name
        words = [*name.extra_tags, *filter(None, (name.label, name.parsed_version.local))]
        bounds = properties.values("nvidia", "cuda_version_lower_bound")
        majors = [int(value.partition(".")[0]) for value in bounds]
        codes = filter(None, map(DeviceCode.parse, properties.values("nvidia", "sm_arch")))
        if not properties:
            majors = [int(match[1]) for word in words if (match := _CUDA.fullmatch(word))]
        generic = release.variant_of(name) == GENERIC and not name.parsed_version.local
        return cls(generic, claimed_level(properties, words), min(majors, default=None), tuple(codes))


def claimed_level(properties: Properties, words: Iterable[str]) -> int | None:
    """Return x86-64 level that properties say; without any, the one that tags or a label stand for by their name."""
    values = properties.values("x86_64", "level") if properties else words
    return min((int(match[1]) for value in values if (match := _LEVEL.fullmatch(value))), default=None)


def properties_of(release: Release, wheel: DescribedWheel) -> Properties:
    """Return the properties of a wheel: as the configuration declares them, else as variant.json has them."""
    variant = release.config.variants.get(release.variant_of(wheel.name))
    if variant is not None and variant.properties:
        return variant.properties
    label = wheel.name.label
    if label is not None and wheel.variant_json is not None:
        return wheel.variant_json.variants.get(label, Properties())
    return Properties()


def libraries(scan: Scan) -> tuple[Binary, ...]:
    """Return the binaries that are loaded into a process: no launchers, object files or data."""
    return tuple(binary for binary in scan.binaries if _LIBRARY.search(binary.name) and binary.fault is None)


def is_library(name: str) -> bool:
    """Return whether the name is one of a shared library or an extension module."""
    return _LIBRARY.search(name) is not None
