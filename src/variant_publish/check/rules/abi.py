"""Rules 4xx: ABI pins (`numpy+pypi==2.0.0`) are right, alike in all wheels, and can be satisfied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from variant_publish.archive.dist_info import ABI_REQUIRES
from variant_publish.archive.wheel import DescribedWheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, WheelRule, some
from variant_publish.config.tables import TABLE
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.matrix import Cell, natural_key, serves
from variant_publish.model.requirement import TaggedRequirement

_NO_PINS = "the release has no ABI pins"
_RETAG = "retag the wheel: 'variant-publish retag' writes pins where their readers look"
_DECLARED = f"{TABLE}.abi.requires"
_NAMED = ("pypi", "testpypi")


class PinSyntax(ReleaseRule[DescribedWheel]):
    """Prove that every ABI pin names a tag and exactly one version.

    A binary fits the one build it was compiled against; a range, or a pin without a tag, says something else.
    """

    id = "VP401"
    hint = "write NAME+TAG==VERSION, for example numpy+pypi==2.0.0"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each pin of the configuration and of each wheel."""
        places: list[tuple[str | None, tuple[TaggedRequirement, ...]]] = [(None, context.release.config.pins)]
        places += [(wheel.filename, wheel.pins) for wheel in self.wheels(context)]
        if not any(pins for _, pins in places):
            yield Outcome.skipped(_NO_PINS)
        for file, pin in ((file, pin) for file, pins in places for pin in pins):
            where = "" if file else f"{_DECLARED}: "
            reason = "is not an exact pin" if pin.tags else "has no tag, so it does not say whose build is meant"
            yield self.judged(not pin.tags or pin.pin is None, f"{where}{str(pin)!r} {reason}", file=file)


class SamePins(ReleaseRule[DescribedWheel]):
    """Prove that all wheels of the release have the same ABI pins, those of the configuration.

    Two wheels that pin two builds of NumPy are two releases: a user who moves from one machine to the next gets
    another NumPy.
    """

    id = "VP402"
    hint = f"retag all wheels with one configuration ({_DECLARED})"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel."""
        release = context.release
        declared = set(map(str, release.config.pins))
        wanted = declared or {str(pin) for wheel in self.wheels(context) for pin in wheel.pins}
        if not wanted:
            yield Outcome.skipped(_NO_PINS)
            return
        whose = "the configuration" if declared else "another wheel of the release"
        for wheel in self.wheels(context):
            own = set(map(str, wheel.pins))
            parts = [
                f"{what} {some(sorted(pins))}"
                for what, pins in ((f"it lacks what {whose} pins:", wanted - own), ("it alone has", own - wanted))
                if pins
            ]
            yield self.judged(parts, "; ".join(parts), file=wheel.filename)


class PinPlace(WheelRule[DescribedWheel]):
    """Prove that ABI pins stand where the readers of the wheel look for them.

    METADATA of a `+tag` wheel has them in full: only variant-aware tools read it. In every other wheel pip, uv and
    packaging refuse a tagged requirement, so METADATA has the plain one and abi-requires.txt the pin.
    """

    id = "VP403"
    hint = _RETAG

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave wheels without pins out."""
        return None if wheel.pins else "the wheel has no ABI pins"

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare METADATA with abi-requires.txt, by dialect."""
        tagged = {str(pin) for pin in wheel.tagged_requires_dist}
        beside = {str(pin): pin for pin in wheel.abi_requires}
        if not wheel.name.plain_installers_read:
            if hidden := sorted(beside.keys() - tagged):
                yield f"{some(hidden)} is in {ABI_REQUIRES} only; METADATA of a wheel with extra tags needs it"
            return
        if tagged:
            yield f"METADATA has {some(sorted(tagged))}, which pip and uv refuse in a wheel without extra tags"
        plain = {_plain(value) for value in wheel.metadata.requires_dist}
        if unheard := sorted(str(pin.plain) for pin in beside.values() if str(pin.plain) not in plain):
            yield f"{ABI_REQUIRES} pins what METADATA does not require: {some(unheard)}"


class Satisfiable(ReleaseRule[DescribedWheel]):
    """Prove that each pin can be satisfied: for every python and platform of the release there is such a wheel.

    The tag is implied by the index that the configuration gives for it, or stands in the wheel's name there. Without an
    index, and with --offline, nothing is proven: unknown; without an index, that is a failure with --strict. An index
    that does not answer is a failure.
    """

    id = "VP404"
    guards_publication = True
    hint = "pin a version that has such a wheel, or leave the cell out of the matrix"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each pin and cell, or for a pin that cannot be looked up."""
        release = context.release
        pins = {
            str(pin): pin
            for pin in (*release.config.pins, *(pin for wheel in self.wheels(context) for pin in wheel.pins))
        }
        pins = {text: pin for text, pin in sorted(pins.items()) if pin.tags and pin.pin is not None}
        if not pins:
            yield Outcome.skipped(_NO_PINS)
        for text, pin in pins.items():
            if context.offline:
                yield Outcome.not_asked(text)
            else:
                yield from self._check_pin(context, text, pin)

    def _check_pin(self, context: Context, text: str, pin: TaggedRequirement) -> Iterator[Outcome]:
        offer = _Offer.of(pin, context)
        cells = _cells(context)
        open_ = [cell for cell in cells if not any(serves(name.plain, cell) for name in offer.wheels)]
        yield from (Outcome.passed() for _ in range(len(cells) - len(open_)))
        if offer.troubles and open_:
            yield from offer.troubles
            return
        for cell in open_:
            yield self.failed(
                f"{text} cannot be satisfied for {cell.python}, {cell.platform}: {offer.described(pin)}", cell=cell
            )


class _Offer(msgspec.Struct, frozen=True):
    """The wheels that satisfy a pin, the indexes that were read, and why others could not be."""

    wheels: tuple[WheelName, ...]
    indexes: tuple[str, ...]
    troubles: tuple[Outcome, ...]

    @classmethod
    def of(cls, pin: TaggedRequirement, context: Context) -> _Offer:
        """Ask the indexes of the pin's tags."""
        tag_indexes = context.release.config.tag_indexes
        found: list[WheelName] = []
        read: list[str] = []
        troubles: list[Outcome] = []
        for tag in pin.tags:
            index = tag_indexes.get(tag)
            if index is None:
                place = tag if tag in _NAMED else "https://..."
                hint = f'say which index implies it: {TABLE}.abi.indexes = {{ {tag} = "{place}" }}'
                troubles.append(Outcome.unknown(f"{pin}: no index is configured for +{tag}", hint))
                continue
            try:
                files = context.listing(index_url(index), pin.project)
            except VariantPublishError as error:
                hint = "check again when the index answers, or with --offline"
                troubles.append(Outcome.failed(f"{pin} could not be verified: {error.message}", hint))
                continue
            implied = {other for other, place in tag_indexes.items() if place == index}
            read.append(index)
            found += _satisfying(files, pin, implied)
        return cls(tuple(found), tuple(dict.fromkeys(read)), tuple(troubles))

    def described(self, pin: TaggedRequirement) -> str:
        """Return what the indexes have instead."""
        where = " and ".join(self.indexes)
        if not self.wheels:
            return f"{where} has no wheel of {pin.plain} with {'+'.join(('', *pin.tags))}"
        pythons = sorted({f"{tag.interpreter}-{tag.abi}" for name in self.wheels for tag in name.tags}, key=natural_key)
        return f"{where} has wheels of that version for {some(pythons, 6)} only, or not for the platform"


def index_url(index: str) -> str:
    """Return URL of an index that the configuration names as twine does, "pypi" or "testpypi"; others as they are."""
    if index == "pypi":
        from variant_publish.remote.default_index import pypi

        return pypi()
    if index == "testpypi":
        from twine.utils import TEST_REPOSITORY

        return TEST_REPOSITORY.replace("/legacy/", "/simple/")
    return index


def _satisfying(files: Iterable[IndexFile], pin: TaggedRequirement, implied: set[str]) -> Iterator[WheelName]:
    for file in files:
        name = WheelName.find(file.filename)
        carried = set() if name is None else set(name.words)
        if name is None or not carried <= set(pin.tags) or not set(pin.tags) <= carried | implied:
            continue
        if (name.serves_everyone or carried) and pin.plain.specifier.contains(name.parsed_version, prereleases=True):
            yield name


def _cells(context: Context) -> list[Cell]:
    """Return a cell for each python and platform that has a wheel."""
    found: dict[tuple[str, str], Cell] = {}
    for cell, entries in context.grid.by_cell():
        if any(entry.files for entry in entries):
            found.setdefault((cell.python, cell.platform), cell)
    return list(found.values())


def _plain(requirement: str) -> str:
    try:
        return str(TaggedRequirement.parse(requirement).plain)
    except VariantPublishError:
        return requirement
