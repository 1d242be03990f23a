"""Rules 2xx: the wheels are one release, and today's indexes and clients can read what they require."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.archive.wheel import DescribedWheel, Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.requires import Difference, changes_of, parsed, requirements_of
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, W, WheelRule, in_wheels
from variant_publish.config.tables import TABLE
from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import PROVIDES_EXTRA
from variant_publish.model.quantity import count
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.release.acceptance import description_fault
from variant_publish.release.release import Release
from variant_publish.release.selectors import of_release

_ALIKE = "build all wheels of a release from the same sources and the same pyproject.toml"
_MARKER = re.compile(r"\bvariant_(?:label|properties|features|namespaces)\b")

_T = TypeVar("_T")


class _AlikeRule(ReleaseRule[W]):
    """One thing against all wheels of the release: what most of them say is right."""

    what: str

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield a failure for each value that is not that of most wheels."""
        wheels = self.wheels(context)
        if len(wheels) == 1:
            yield Outcome.skipped("the release has one wheel")
            return
        values = {wheel.filename: self.value(wheel) for wheel in wheels}
        usual = most_common(values.values())
        most = count(sum(value == usual for value in values.values()), "other wheel")
        for value, files in _by_value(values).items():
            if value == usual:
                yield from (Outcome.passed() for _ in files)
            else:
                yield Outcome.failed(
                    f"{self.what} is {value or 'not there'}{in_wheels(files)}; in {most} of the release"
                    f" it is {usual or 'not there'}",
                    _ALIKE,
                    file=files[0],
                )

    @abstractmethod
    def value(self, wheel: W) -> str:
        """Return what must be alike, in a form that can be compared and shown."""


class SameName(_AlikeRule[Wheel]):
    """Prove that all wheels spell the project's name in METADATA alike.

    Two spellings are one project to installers, but they suggest that the release was built in two ways.
    """

    id = "VP201"
    what = "Name"

    def value(self, wheel: Wheel) -> str:
        """Return the name as it is written."""
        return wheel.metadata.name


class SameRequiresPython(_AlikeRule[Wheel]):
    """Prove that all wheels require the same Python versions.

    Resolvers take one wheel's metadata for the whole version; where another one differs, a lock file is wrong.
    """

    id = "VP202"
    what = "Requires-Python"

    def value(self, wheel: Wheel) -> str:
        """Return the specifiers in one order."""
        text = wheel.metadata.requires_python or ""
        try:
            return str(SpecifierSet(text))
        except InvalidSpecifier:
            return text


class SameExtras(_AlikeRule[Wheel]):
    """Prove that all wheels provide the same extras.

    An extra that only one variant has cannot be asked for before it is known which variant is chosen.
    """

    id = "VP203"
    what = "Provides-Extra"

    def value(self, wheel: Wheel) -> str:
        """Return the extras, normalised and sorted."""
        return ", ".join(sorted(set(map(canonicalize_name, wheel.metadata.values(PROVIDES_EXTRA)))))


class SameEntryPoints(_AlikeRule[DescribedWheel]):
    """Prove that all wheels have the same entry points.

    A command or plugin that is there on one machine and not on the next is no property of a variant. Installers take
    each wheel's own, so nothing breaks.
    """

    id = "VP204"
    severity = Severity.WARNING
    what = "entry_points.txt"

    def value(self, wheel: DescribedWheel) -> str:
        """Return groups, names and objects, sorted."""
        import configparser

        text = wheel.info.get("entry_points.txt", b"").decode("utf-8", "replace")
        if not text:
            return ""
        parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read_string(text)
        except configparser.Error:
            return " ".join(text.split())
        lines = [f"[{group}] {name} = {value}" for group in parser.sections() for name, value in parser.items(group)]
        return ", ".join(sorted(lines))


class ValidRequirements(WheelRule[Wheel]):
    """Prove that every Requires-Dist can be read: as a requirement, or one with extra tags.

    pip and uv refuse to install a wheel with a requirement that they cannot parse, and PyPI refuses to take it.
    """

    id = "VP205"
    hint = "correct the dependency in the project's sources"

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Parse each one; in a wheel with extra tags, markers may ask for the selector variables of the release."""
        variables = () if wheel.name.plain_installers_read else _selector_variables(context.release)
        for value in wheel.metadata.requires_dist:
            if _has_variant_marker(value):
                continue  # VP206 reports it
            try:
                TaggedRequirement.parse(with_evaluated_markers(value, variables, lambda *_: True))
            except VariantPublishError as error:
                yield f"Requires-Dist: {error.message}"


def _selector_variables(release: Release) -> tuple[str, ...]:
    try:
        selector = of_release(release).selector
    except VariantPublishError:
        return ()  # a rule of its own says what is wrong with it
    return selector.variables if selector is not None else ()


class NoVariantMarkers(WheelRule[Wheel]):
    """Prove that no requirement depends on the variant by a marker of PEP 825.

    Variant markers are a hard error in today's pip, uv and packaging. Each variant wheel can have plain
    requirements of its own instead.
    """

    id = "VP206"
    hint = "retag the wheel as a variant of the configuration, or convert it: both make it plain"

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Look for the marker variables behind the `;`."""
        for value in wheel.metadata.requires_dist:
            if _has_variant_marker(value):
                yield f"Requires-Dist {value!r} has a variant marker, which no installer of today reads"


class NoLocalVersion(WheelRule[Wheel]):
    """Prove that a wheel for PyPI has no local version.

    PyPI refuses `1.0+cu128`; elsewhere such a wheel beats the plain one on every machine. Dialect local has such
    wheels on purpose, for indexes of their own.
    """

    id = "VP207"

    def not_for(self, wheel: Wheel, context: Context) -> str | None:
        """Leave variant wheels out: PyPI does not get them; those of dialect local only where it is wanted."""
        config = context.release.config
        unwanted = wheel.name.dialect not in config.dialects and config.upload.views is None
        if unwanted and not wheel.name.chosen_by_installers:
            return None
        return is_for_pypi(wheel)

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Look at the version of the name and of METADATA."""
        if local := wheel.name.parsed_version.local or _local(wheel.metadata.version):
            yield (
                f"the version {wheel.metadata.version!r} has the local part {local!r}, which PyPI refuses",
                f"make it {wheel.name.parsed_version.public} by retag --drop-local-version, and name its variant",
            )


class NoDirectUrl(WheelRule[Wheel]):
    """Prove that a wheel for PyPI requires nothing by URL.

    PyPI refuses `name @ https://...` in the metadata of an upload.
    """

    id = "VP208"
    hint = "require a version instead"

    def not_for(self, wheel: Wheel, context: Context) -> str | None:
        """Leave variant wheels out: PyPI does not get them."""
        return is_for_pypi(wheel)

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Parse each requirement; those that do not parse are VP205's."""
        for value in wheel.metadata.requires_dist:
            if any(one.url is not None for one in parsed([value])):
                yield f"Requires-Dist {value!r} is a direct URL, which PyPI refuses"


class SameRequirementsOverVariants(ReleaseRule[Wheel]):
    """Prove that variants require the same projects, but for what the configuration adds, removes and pins.

    CUDA 12 and CUDA 13 builds differ on purpose: declare it, and this warning goes; what is left was not meant.
    """

    id = "VP209"
    severity = Severity.WARNING

    def check(self, context: Context) -> Iterator[Outcome]:
        """Compare what most wheels of a variant require with what most wheels of the first column require."""
        release = context.release
        first, *others = release.variants
        if not others:
            yield Outcome.skipped("the release has one variant")
            return
        usual = {variant: most_common(requirements_of(release, variant).values()) for variant in release.variants}
        for variant in others:
            difference = Difference.between(
                usual[first], usual[variant], changes_of(release, first), changes_of(release, variant)
            )
            hint = f'declare it if it is on purpose:\n[{TABLE}.variants."{variant}"]\nrequires = {difference.table()}'
            text = f"variant {variant!r} requires something else than {first!r}: {difference}"
            yield self.judged(difference, text, hint=hint)


class SameRequirementsInVariant(ReleaseRule[Wheel]):
    """Prove that the wheels of one variant require the same.

    Resolvers read one wheel's metadata and take it for that of all; what differs by platform or Python belongs into a
    marker.
    """

    id = "VP210"
    severity = Severity.WARNING
    hint = "say it with a marker that all wheels have, for example '; sys_platform == \"linux\"'"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Compare each wheel with most of its variant."""
        for variant in context.release.variants:
            found = requirements_of(context.release, variant)
            usual = most_common(found.values())
            for requires, files in _by_value(found).items():
                if difference := Difference.between(usual, requires):
                    yield self.failed(
                        f"it requires something else than most wheels of variant {variant!r}{in_wheels(files)}:"
                        f" {difference}",
                        file=files[0],
                    )
                else:
                    yield from (Outcome.passed() for _ in files)


class DescriptionRenders(WheelRule[Wheel]):
    """Prove that PyPI can render the description of a wheel.

    One wrong line in a README of reStructuredText makes PyPI refuse the whole upload; `twine check` finds the same.
    Markdown and plain text cannot fail.
    """

    id = "VP212"
    hint = "correct the README, and check it with 'twine check'"

    def not_for(self, wheel: Wheel, context: Context) -> str | None:
        """Leave variant wheels out: PyPI does not get them."""
        return is_for_pypi(wheel)

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Render it as PyPI does."""
        if fault := description_fault(bytes(wheel.metadata)):
            yield f"its description does not render: {fault}"


def most_common(values: Iterable[_T]) -> _T:
    """Return the value that occurs most often, the first of equals."""
    return Counter(values).most_common(1)[0][0]


def _by_value(values: Mapping[str, _T]) -> dict[_T, list[str]]:
    """Return the files of each value."""
    found: dict[_T, list[str]] = {}
    for file, value in values.items():
        found.setdefault(value, []).append(file)
    return found


def _has_variant_marker(value: str) -> bool:
    return _MARKER.search(value.partition(";")[2]) is not None


def is_for_pypi(wheel: Wheel) -> str | None:
    """Return the reason why PyPI does not get the wheel, or None."""
    return "variant wheels do not go to PyPI" if wheel.name.dialect is not None else None


def _local(version: str) -> str | None:
    try:
        return Version(version).local
    except InvalidVersion:
        return None
