"""Rule on what `==` pins lead to: every pinned version is there for every wheel that pins it, and so on from there."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.archive.wheel import DescribedWheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.requires import environment_of, parsed
from variant_publish.check.engine.rule import Outcome, ReleaseRule, some
from variant_publish.check.rules.destination import NO_INDEX, user_indexes
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.model.matrix import Cell, own_platforms, own_pythons, serves
from variant_publish.model.tags import in_use
from variant_publish.model.url import redact
from variant_publish.remote.archive import metadata_of
from variant_publish.remote.transport import IndexUnavailable, Transport

_SANE_METADATA = 8 * 1024 * 1024

Pin = tuple[str, str]
"""Normalised project name, and version."""


class PinsServed(ReleaseRule[DescribedWheel]):
    """Prove that every `==` pin can be installed from the indexes that users have, and what those wheels pin in turn.

    `nvidia-cublas-cu12==12.8.4.1` that was never uploaded, or has no wheel for one platform, makes the release
    impossible to install there. Pins are followed from wheel to wheel.
    """

    id = "VP410"
    guards_publication = True

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each pin, over all cells for which it is pinned."""
        wanted = _wanted(self.wheels(context))
        if not wanted:
            yield Outcome.skipped("no wheel pins a version with ==")
            return
        indexes = user_indexes(context)
        if not indexes:
            yield Outcome.skipped(NO_INDEX)
            return
        if context.offline:
            names = some(f"{project}=={version}" for project, version in wanted)
            yield Outcome.not_asked(names)
            return
        yield from _Walk(context, indexes).outcomes(wanted)


_MOST_PINS = 5_000
"""Pins in cells; an index that answers everything can go on for ever."""


class _Walk(msgspec.Struct):
    """Follow pins from wheel to wheel, each pin of each cell once."""

    context: Context
    indexes: tuple[str, ...]
    texts: dict[str, tuple[str, ...] | None] = {}
    transport: Transport = msgspec.field(default_factory=Transport)
    further: dict[Pin, dict[Cell, str]] = {}
    silent: list[str] = []

    def outcomes(self, wanted: dict[Pin, dict[Cell, str]]) -> Iterator[Outcome]:
        """Yield an outcome for each pin; those that it leads to are looked at after it."""
        seen: set[tuple[Pin, Cell]] = set()
        while wanted:
            if len(seen) > _MOST_PINS:
                yield Outcome.unknown(f"{_MOST_PINS:,} pins lead to more of them, and no more were looked at", "")
                break
            self.further = {}
            for pin, cells in wanted.items():
                fresh = {cell: who for cell, who in cells.items() if (pin, cell) not in seen}
                seen |= {(pin, cell) for cell in fresh}
                if fresh:
                    yield from self._of_pin(pin, fresh)
            wanted = self.further
        if self.silent:
            yield Outcome.unknown(
                f"the metadata of {some(dict.fromkeys(self.silent))} cannot be read: what they pin is not known",
                "check again, or against an index with PEP 658",
            )

    def _of_pin(self, pin: Pin, cells: dict[Cell, str]) -> Iterator[Outcome]:
        files, troubles = self._files(pin)
        lacking = []
        for cell, who in cells.items():
            found = [(name, file) for name, file in files if name is not None and serves(name.plain, cell)]
            if found:
                self._follow(found[0][1], cell)
            elif not any(name is None for name, _ in files):  # an sdist serves everyone, in its own way
                lacking.append((cell, who))
        text = f"{pin[0]}=={pin[1]}"
        if not lacking:
            yield Outcome.passed()
        elif troubles:
            yield Outcome.unknown(f"{text}: {troubles[0].message}", troubles[0].hint or "check again")
        else:
            cell, who = lacking[0]
            places = some((f"{cell.python}, {cell.platform}" for cell, _ in lacking), 2)
            has = "has wheels of it for other machines only" if files else "has no such version"
            yield Outcome.failed(
                f"{who} pins {text}, and {some(map(redact, self.indexes))} {has}: nothing for {places}",
                "upload it before the release, or pin a version that is there",
                cell=cell,
            )

    def _files(self, pin: Pin) -> tuple[list[tuple[WheelName | None, IndexFile]], list[IndexUnavailable]]:
        """Return the files of the version with their names (None for an sdist), and why an index could not be read."""
        found: list[tuple[WheelName | None, IndexFile]] = []
        troubles = []
        for own in (self.context.release, *self.context.others):
            if pin[0] == own.project and _is_version(str(own.version), pin):
                return [(wheel.name, IndexFile(wheel.filename, "", "")) for wheel in own.wheels], []
        for index in self.indexes:
            try:
                listed = self.context.listing(index, pin[0])
            except IndexUnavailable as error:
                troubles.append(error)
                continue
            for file in listed:
                name = WheelName.find(file.filename)
                if _is_version(version_of(file.filename), pin) and (name is None or name.serves_everyone):
                    found.append((name, file))  # a variant may be right for a machine, and none is right for all
        return found, troubles

    def _follow(self, file: IndexFile, cell: Cell) -> None:
        if not file.url:
            return
        if file.url not in self.texts:
            self.texts[file.url] = _requires_of(file, self.transport)
        requires = self.texts[file.url]
        if requires is None:
            self.silent.append(file.filename)
            return
        for pin in _pins(requires, cell):
            self.further.setdefault(pin, {}).setdefault(cell, file.filename)


def _wanted(wheels: tuple[DescribedWheel, ...]) -> dict[Pin, dict[Cell, str]]:
    """Return the cells for which each pin is needed, and the wheel that pins it."""
    found: dict[Pin, dict[Cell, str]] = {}
    for wheel in wheels:
        for python in own_pythons(wheel.name.plain):
            for platform in own_platforms(wheel.name.plain):
                cell = Cell(python, in_use(platform), wheel.name.variant)
                for pin in _pins(wheel.metadata.requires_dist, cell):
                    found.setdefault(pin, {}).setdefault(cell, wheel.filename)
    return found


def _pins(requires: tuple[str, ...], cell: Cell) -> Iterator[Pin]:
    """Return the exact pins of these requirements on a machine of the cell; tagged ones are VP404's."""
    environment = environment_of([cell.python.partition("-")[0]], cell.platform)
    for requirement in parsed(requires):
        specifiers = list(requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or specifiers[0].version.endswith(".*"):
            continue
        if requirement.marker is None or requirement.marker.evaluate(environment):
            try:
                yield canonicalize_name(requirement.name), str(Version(specifiers[0].version))
            except InvalidVersion:
                continue


def _is_version(version: str | None, pin: Pin) -> bool:
    """Return whether the version is the pinned one, as PEP 440 compares: 13.0.3.0 and 13.0.3+cu128 are 13.0.3."""
    return version is not None and Specifier(f"=={pin[1]}").contains(version, prereleases=True)


def _requires_of(file: IndexFile, transport: Transport) -> tuple[str, ...] | None:
    """Return the Requires-Dist of a listed wheel: from the wheel where it lies here, by PEP 658, else by its outline.

    None where the index gives neither metadata nor ranges of the file: no wheel is downloaded for this.
    """
    try:
        content = metadata_of(file, transport)
        return None if content is None else Metadata.parse(content).requires_dist
    except VariantPublishError:
        return None
