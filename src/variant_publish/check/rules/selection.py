"""Rules 6xx: the selector files describe the wheels that are there, and clients can read them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from variant_publish.archive.wheel import DescribedWheel, Wheel
from variant_publish.check.engine.context import Context, Folder, names_of_selectors
from variant_publish.check.engine.rule import FolderRule, Outcome, ReleaseRule, Severity, some
from variant_publish.dialects.base import Dialect, Words
from variant_publish.dialects.registry import dialect_of_file
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import SelectorConflict
from variant_publish.formats.variants_json import Provider, VariantConflict, merge
from variant_publish.providers import catalog
from variant_publish.release.selectors import SelectorFiles, of_release

_WRITE = "write it again with 'variant-publish metadata'"
_NO_FILES = "no selector file of the release lies beside the wheels"


class CurrentFiles(ReleaseRule[DescribedWheel]):
    """Prove that the selector files beside the wheels are what would be written for these wheels now.

    An old file sends machines to wheels that are gone, or keeps new ones from being chosen. Files are compared by what
    they say, not by how they are laid out.
    """

    id = "VP601"
    hint = _WRITE

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each file that is there, and for each that should be."""
        release = context.release
        if not context.selector_files:
            yield Outcome.skipped(_NO_FILES)
            return
        try:
            wanted = of_release(release, context.reporter).texts(release.project, str(release.version))
        except (VariantConflict, SelectorConflict):
            yield Outcome.skipped("VP604 reports the conflict of the wheels")
            return
        except VariantPublishError as error:
            yield Outcome.unknown(f"the selector files cannot be worked out: {error.message}", error.hint or _WRITE)
            return
        present = {path.name: path for path in context.selector_files}
        for name in sorted(wanted.keys() | present.keys()):
            if name not in present:
                yield self.failed("it is missing beside the wheels", file=name)
            elif name not in wanted:
                yield self.failed("no wheel of the release is of its dialect", hint="take the file away", file=name)
            else:
                yield self._compared(present[name], wanted[name])

    def _compared(self, path: Path, wanted: str) -> Outcome:
        try:
            same = _normal(path) == wanted
        except VariantPublishError as error:
            return Outcome.failed(error.message, f"{_WRITE}: {error.hint}" if error.hint else _WRITE, file=path.name)
        return self.judged(not same, "it is not what the wheels and the configuration say now", file=path.name)


class _NamesRule(ReleaseRule[Wheel]):
    """The names in the selector files against the wheels."""

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each name; a file that cannot be read is VP601's."""
        if not context.selector_files:
            yield Outcome.skipped(_NO_FILES)
            return
        for dialect, data in _parsed(context).files.items():
            built = {wheel.name.words for wheel in context.release.wheels if wheel.name.dialect is dialect}
            file = dialect.file_name(context.release.project, str(context.release.version))
            yield from self.outcomes(dialect, data, built, file)

    @abstractmethod
    def outcomes(self, dialect: Dialect, data: Any, built: set[Words], file: str) -> Iterator[Outcome]:
        """Yield an outcome for each name; `built` are the variants that have wheels."""


class EveryVariantNamed(_NamesRule):
    """Prove that the selector files name every variant that has a wheel.

    A label that variants.json does not list, or a tag that no selector mentions, is never chosen on any machine.
    """

    id = "VP602"
    hint = _WRITE

    def outcomes(self, dialect: Dialect, data: Any, built: set[Words], file: str) -> Iterator[Outcome]:
        """Yield an outcome for each variant."""
        for words in sorted(built):
            fault = dialect.fault(data, words)
            yield self.judged(fault, fault, file=file)


class EveryNameHasAWheel(_NamesRule):
    """Prove that every label and tag of the selector files has a wheel.

    Installers pass over a label without a wheel, so this does no harm today; it suggests wheels that were not built.
    """

    id = "VP603"
    severity = Severity.WARNING
    hint = "build the wheel, or take the variant out of the configuration"

    def outcomes(self, dialect: Dialect, data: Any, built: set[Words], file: str) -> Iterator[Outcome]:
        """Yield an outcome for each label or tag."""
        here = {word for words in built for word in words}
        for name in dialect.names(data):
            yield self.judged(name not in here, f"{name!r} has no wheel", file=file)


class NoConflict(ReleaseRule[DescribedWheel]):
    """Prove that what the labelled wheels say of their variants can be united.

    One label means one set of properties, priorities agree, and a namespace has one provider (PEP 825, "Index
    metadata"): otherwise there is no variants.json for the release.
    """

    id = "VP604"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield one outcome for the release."""
        parts = [wheel.variant_json for wheel in self.wheels(context) if wheel.variant_json is not None]
        if not parts:
            yield Outcome.skipped("no wheel carries variant.json")
            return
        try:
            merge(parts)
        except VariantConflict as error:
            yield Outcome.failed(error.message, error.hint or "retag the wheels with one configuration")
        else:
            yield Outcome.passed()


class KnownProviders(ReleaseRule[DescribedWheel]):
    """Prove that the clients of today can evaluate every namespace of the release.

    uv runs no plugin: it has four providers of its own and reads static properties. Wheels of any other namespace are
    never chosen, and neither are those whose provider is optional. What a view leaves to the installer's own resolver
    passes, in every dialect.
    """

    id = "VP605"
    severity = Severity.WARNING
    hint = f"use one of {', '.join(catalog.vendored())}, or static-properties"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each namespace that a variant uses."""
        files = _parsed(context)
        beside = [] if files.variants is None else [files.variants]
        carried = [wheel.variant_json for wheel in self.wheels(context) if wheel.variant_json is not None]
        providers: dict[str, list[Provider | None]] = {}
        for metadata in (*beside, *carried):
            for namespace in dict.fromkeys(item.namespace for one in metadata.variants.values() for item in one.items):
                providers.setdefault(namespace, []).append(metadata.providers.get(namespace))
        if not providers:
            yield Outcome.skipped("no wheel has properties")
        for namespace, found in sorted(providers.items()):
            own = catalog.find(namespace)
            left = own.metadata if own is not None and own.is_resolved else None
            faults = [unusable(namespace, one) for one in found if one is None or one != left]
            why = next(filter(None, faults), "")
            yield self.judged(why, f"clients of today never choose a variant of namespace {namespace!r}: {why}")


class OwnedFiles(FolderRule):
    """Prove that every selector file in the folder belongs to a release whose wheels lie there.

    Clients ask for one exact name, with the normalised project and version: a file with another one is never read.
    """

    id = "VP606"
    severity = Severity.WARNING

    def check(self, folder: Folder) -> Iterator[Outcome]:
        """Yield an outcome for each selector file."""
        names = {name for release in folder.loaded.releases for name in names_of_selectors(release)}
        if not folder.selector_files:
            yield Outcome.skipped("no selector file lies beside the wheels")
        for path in folder.selector_files:
            expected = sorted(name for name in names if name.endswith(path.suffix))
            hint = f"clients ask for {some(expected)}" if expected else "take it away"
            text = "it belongs to no release whose wheels lie here"
            yield self.judged(path.name not in names, text, hint=hint, file=path.name)


def _normal(path: Path) -> str:
    """Return the file in the layout that this project writes; raise VariantPublishError where it cannot be read."""
    dialect = dialect_of_file(path.name)
    assert dialect is not None  # noqa: S101  (its name is that of a selector file)
    return dialect.dumps(dialect.parse(path.read_bytes()))


def _parsed(context: Context) -> SelectorFiles:
    """Return what the files beside the wheels say; one that cannot be read is VP601's."""
    found = {}
    for path in context.selector_files:
        with suppress(VariantPublishError):
            if (dialect := dialect_of_file(path.name)) is not None:
                found[dialect] = dialect.parse(path.read_bytes())
    return SelectorFiles(found)


def unusable(namespace: str, provider: Provider | None) -> str:
    """Return why clients of today cannot evaluate a namespace by this provider, or give ""."""
    if provider is None:
        return "its provider is not listed (PEP 825 without PEP 850)"
    if provider.optional:
        return "its provider is optional, and off unless a user turns it on"
    if provider.static_properties:
        return ""
    own = catalog.find(namespace)
    if own is not None and own.vendored is not None:
        return own.objection_to(provider)
    if provider.builtin is not None:
        return f"the builtin {provider.builtin!r} is read and not evaluated"
    return f"they do not know the provider {some(provider.requires)}"
