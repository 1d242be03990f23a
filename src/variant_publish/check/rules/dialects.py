"""Rules 7xx: a variant is the same thing in every dialect that it is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from variant_publish.archive.dist_info import ABI_REQUIRES, RECORD, SIGNATURES
from variant_publish.archive.wheel import DescribedWheel, Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule, W, some
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import DIALECTS, own_files
from variant_publish.errors import VariantPublishError
from variant_publish.release.release import Release

_OWN = ("METADATA", "WHEEL", RECORD, ABI_REQUIRES, *SIGNATURES)
"""The dist-info files in which the dialects differ."""

_ONE_DIALECT = "the release has variants in one dialect only"


class SameWheels(ReleaseRule[Wheel]):
    """Prove, where no matrix is declared, that a variant has the same wheels in every dialect of the release.

    A variant that was retagged in one dialect only is there for some clients and not for others, and nothing tells
    them. With a declared matrix, the cells of each dialect are looked at one by one (VP301).
    """

    id = "VP310"
    hint = "retag in all dialects of the release, or take the wheels of this one away"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant and dialect."""
        if context.grid.declared:
            yield Outcome.skipped("the matrix is declared: VP301 looks at it")
            return
        places = _places(context.release, context.release.wheels)
        dialects = _dialects(context.release)
        if len(dialects) < 2:
            yield Outcome.skipped(_ONE_DIALECT)
            return
        for variant in dict.fromkeys(variant for variant, _ in places):
            for dialect in dialects:
                found = {place: wheels for (owner, place), wheels in places.items() if owner == variant}
                missing = [sorted(wheel.filename for wheel in wheels.values())[0]
                           for wheels in found.values() if dialect not in wheels]  # fmt: skip
                yield self.judged(
                    missing,
                    f"variant {variant!r} lacks {len(missing)} of {len(found)} wheels in dialect {dialect}:"
                    f" {some(missing)} is in another one only",
                )


class SameContent(ReleaseRule[DescribedWheel]):
    """Prove that the wheels of one variant and place hold the same files in every dialect, by the hashes in RECORD.

    They are one build under several names; where they differ, what a user gets depends on the installer. What says of
    the variant (METADATA, WHEEL, variant.json, ABI pins) is left out.
    """

    id = "VP213"
    hint = "retag both from the same built wheel"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant and place that has several dialects."""
        several = [wheels for wheels in _places(context.release, self.wheels(context)).values() if len(wheels) > 1]
        if not several:
            yield Outcome.skipped("no wheel is there in several dialects")
            return
        for wheels in several:
            try:
                yield from self._differences(tuple(wheels.values()))
            except VariantPublishError as error:
                file = next(iter(wheels.values())).filename
                yield Outcome.unknown(error.message, error.hint or "check again", file=file)

    def _differences(self, wheels: tuple[DescribedWheel, ...]) -> Iterator[Outcome]:
        if lacking := next((wheel for wheel in wheels if wheel.record is None), None):
            yield Outcome.unknown("it has no RECORD to compare", "build the wheel again", file=lacking.filename)
            return
        first, one = wheels[0], _files(wheels[0])
        for wheel in wheels[1:]:
            two = _files(wheel)
            differing = sorted(path for path in one.keys() | two.keys() if one.get(path) != two.get(path))
            text = f"it is the same variant as {first.filename} in another dialect, with other files: {some(differing)}"
            yield self.judged(differing, text, file=wheel.filename)


def _places(release: Release, wheels: Iterable[W]) -> Mapping[tuple[str, str], Mapping[Dialect, W]]:
    """Return for each variant and place (build, python, abi, platform) the wheel in each dialect."""
    found: dict[tuple[str, str], dict[Dialect, W]] = {}
    for wheel in wheels:
        if wheel.name.dialect is not None and not wheel.name.serves_everyone:
            place = str(wheel.name.generic())
            found.setdefault((release.variant_of(wheel.name), place), {}).setdefault(wheel.name.dialect, wheel)
    return found


def _dialects(release: Release) -> tuple[Dialect, ...]:
    found = {dialect for wheels in _places(release, release.wheels).values() for dialect in wheels}
    return tuple(dialect for dialect in DIALECTS.values() if dialect in found)


def _files(wheel: DescribedWheel) -> dict[str, str]:
    """Return the digests of the files, by paths in which the version does not occur."""
    assert wheel.record is not None  # noqa: S101  (the caller has looked)
    exempt = {f"{wheel.dist_info}/{file}" for file in (*_OWN, *own_files())}
    data = wheel.dist_info.removesuffix(".dist-info") + ".data/"
    return {
        path: row.digest
        for row in wheel.record.rows
        if row.path not in exempt
        for path in [row.path.replace(f"{wheel.dist_info}/", ".dist-info/", 1).replace(data, ".data/", 1)]
    }
