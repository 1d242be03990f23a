"""What rules about binaries share: the scan of each wheel, and what a wheel claims to be."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable

import msgspec

from variant_publish.archive.wheel import DescribedWheel, Wheel, WholeWheel
from variant_publish.binary.scan import Binary, Scan
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problem, Problems, WheelRule
from variant_publish.errors import VariantPublishError
from variant_publish.model.matrix import natural_key
from variant_publish.model.variant import GENERIC, Properties
from variant_publish.providers import catalog
from variant_publish.providers.base import VariantProvider
from variant_publish.release.release import Release

NO_BINARIES = "the wheel has no binaries"

_LIBRARY = re.compile(r"\.(?:so(?:\.[0-9.]+)?|dylib|dll|pyd)$")


class BinaryRule(WheelRule[WholeWheel]):
    """Check each wheel by what its binaries hold; one without binaries is skipped."""

    def problems(self, wheel: WholeWheel, context: Context) -> Problems:
        """Yield everything that is wrong with the binaries of the wheel."""
        try:
            scan = context.scan(wheel)
        except (VariantPublishError, OSError):
            yield Outcome.skipped("VP112 reports that the wheel cannot be read")
            return
        if scan.binaries:
            yield from self.outcomes(wheel, scan, context)
        else:
            yield Outcome.skipped(NO_BINARIES)

    @abstractmethod
    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Iterable[Problem]:
        """Yield what is not a pass; nothing for a wheel that passes."""


class Claims(msgspec.Struct, frozen=True):
    """What a wheel says of the machines that it is for, by its properties, else by the usual names of variants.

    `level` is the x86-64 level, None where it says nothing.
    """

    is_generic: bool
    properties: Properties
    level: int | None

    @classmethod
    def of(cls, context: Context, wheel: DescribedWheel) -> Claims:
        """Read the properties of the configuration or of variant.json, else the tags, label or local version; once."""
        key = f"claims of {wheel.filename}"
        if key not in context.notes:
            context.notes[key] = cls._read(context.release, wheel)
        found: Claims = context.notes[key]
        return found

    @classmethod
    def _read(cls, release: Release, wheel: DescribedWheel) -> Claims:
        properties = claimed_properties(release, wheel)
        name = wheel.name
        levels = [int(value[1:]) for value in properties.values("x86_64", "level") if re.fullmatch("v[1-4]", value)]
        generic = release.variant_of(name) == GENERIC and not name.parsed_version.local
        return cls(generic, properties, min(levels, default=None))

    @property
    def code(self) -> tuple[tuple[VariantProvider, tuple[str, ...]], ...]:
        """Return the providers of which device code is claimed, with the values."""
        found = ((one, self.properties.values(one.namespace, one.code_feature or "")) for one in catalog.providers())
        return tuple((provider, values) for provider, values in found if values)

    @property
    def runtimes(self) -> tuple[tuple[VariantProvider, int], ...]:
        """Return the providers of which a runtime is claimed, with its major version."""
        found = []
        for provider in catalog.providers():
            values = self.properties.values(provider.namespace, provider.runtime_feature or "")
            if (major := provider.claimed_runtime(values)) is not None:
                found.append((provider, major))
        return tuple(found)


class GenericRule(BinaryRule):
    """Check the binaries of generic wheels in a release that has variants."""

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out variants, and releases without them."""
        if context.variants == (GENERIC,):
            return "the release has no variants"
        return None if Claims.of(context, wheel).is_generic else "the wheel is a variant"


def claimed_properties(release: Release, wheel: DescribedWheel) -> Properties:
    """Return the properties of a wheel; without any, those of the well-known words of its name; others say nothing."""
    name = wheel.name
    words = [*name.words, *filter(None, (name.parsed_version.local,))]
    known = (item for word in words for item in catalog.properties_of_word(word.replace(".", "_")))
    return properties_of(release, wheel) or Properties(tuple(known))


def properties_of(release: Release, wheel: DescribedWheel) -> Properties:
    """Return the properties of a wheel: as the configuration declares them, else as variant.json has them."""
    variant = release.config.variants.get(release.variant_of(wheel.name))
    if variant is not None and variant.properties:
        return variant.properties
    metadata = wheel.variant_json
    return Properties() if metadata is None else metadata.variants.get(wheel.name.label, Properties())


def built_for(release: Release, wheel: Wheel) -> Properties:
    """Return the properties of a wheel; without any, those of its words where every one of them is well known."""
    properties = properties_of(release, wheel) if isinstance(wheel, DescribedWheel) else Properties()
    return properties or catalog.properties_of_words(wheel.name.words)


def libraries(scan: Scan) -> tuple[Binary, ...]:
    """Return the binaries that are loaded into a process: no launchers, object files or data."""
    return tuple(binary for binary in scan.binaries if _LIBRARY.search(binary.name) and binary.fault is None)


def is_library(name: str) -> bool:
    """Return whether the name is one of a shared library or an extension module."""
    return _LIBRARY.search(name) is not None


def code_of(provider: VariantProvider, binaries: Iterable[Binary]) -> tuple[str, ...]:
    """Return the values of a provider's device code in several binaries, each once."""
    return tuple(dict.fromkeys(value for binary in binaries for value in binary.shows(provider.namespace).code))


def code_names(provider: VariantProvider, binaries: Iterable[Binary]) -> tuple[str, ...]:
    """Return what people call the device code in several binaries."""
    return tuple(map(provider.code_name, sorted(code_of(provider, binaries), key=natural_key)))
