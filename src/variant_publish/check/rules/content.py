"""Rules on the bytes of the members: they are what RECORD says, and pure files do not depend on the variant."""

from __future__ import annotations

from collections.abc import Iterator

from variant_publish.archive.inflate import BOMB_RATIO, BOMB_SIZE
from variant_publish.archive.wheel import ArchiveWheel, DescribedWheel, Wheel, WholeWheel
from variant_publish.check.engine.binaries import is_library
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, WheelRule, some
from variant_publish.model.variant import GENERIC

_BUILD_TIME = ("_version.py", "version.py", "__config__.py", "_distributor_init.py", "build_info.json", "cuda.py")


class RecordHashes(WheelRule[WholeWheel]):
    """Prove that the bytes of every file are those whose hash RECORD has, and that the archive holds them undamaged.

    PyPI refuses an upload whose RECORD does not match, `wheel unpack` and security tools refuse it later; a tool that
    patches a binary in place leaves such a wheel behind.
    """

    id = "VP112"
    hint = "build or retag the wheel again, instead of changing files in it"

    def problems(self, wheel: WholeWheel, context: Context) -> Problems:
        """Look at what the scan of the wheel has found."""
        scan = context.scan(wheel)
        if scan.mismatches:
            yield f"RECORD has the hashes of other bytes for {some(scan.mismatches)}"
        yield from ((fault, "build or download the wheel again") for fault in scan.faults)


class NoBomb(WheelRule[ArchiveWheel]):
    """Prove that the archive unpacks to a sane multiple of its size.

    PyPI takes an archive that unpacks to more than 64 MiB and 50 times its own size for a ZIP bomb, and refuses it.
    Tables of zeros in a library are how honest wheels get there.
    """

    id = "VP113"
    hint = "take out what is nearly all zeros, or make it when the package runs"

    def problems(self, wheel: ArchiveWheel, context: Context) -> Problems:
        """Compare the sum of the sizes in the directory against the size of the file."""
        members = wheel.directory.members
        total = sum(member.size for member in members)
        if total > BOMB_SIZE and total > BOMB_RATIO * wheel.size:
            largest = max(members, key=lambda member: member.size)
            times = f"{total / 1e6:.0f} MB, {total // wheel.size} times its own size"
            yield f"it unpacks to {times}; the largest member is {largest.name}"


class SamePureFiles(ReleaseRule[DescribedWheel]):
    """Report files other than binaries that differ between the variants of one Python and platform.

    Variants of one release are one source compiled several times; other Python code in one of them was mostly not
    meant, and costs whoever shares files between variants. Files that record the build are left out.
    """

    id = "VP211"
    severity = Severity.INFO
    hint = "build all variants from one source tree; nothing to do if it is on purpose"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant wheel that has a generic one beside it."""
        release = context.release
        if release.variants in ((), (GENERIC,)):
            yield Outcome.skipped("the release has no variants")
            return
        generic = {_place(wheel): wheel for wheel in self.wheels(context) if release.variant_of(wheel.name) == GENERIC}
        for wheel in self.wheels(context):
            if release.variant_of(wheel.name) == GENERIC:
                continue
            base = generic.get(_place(wheel))
            if base is None or base.record is None or wheel.record is None:
                yield Outcome.skipped("there is no generic wheel of the same Python and platform, or no RECORD")
                continue
            if not any(map(is_library, wheel.members)):
                yield Outcome.skipped("a variant without binaries differs in its other files by nature")
                continue
            one, two = _pure(base), _pure(wheel)
            differing = sorted(path for path in one.keys() | two.keys() if one.get(path) != two.get(path))
            text = f"it has other files than {base.filename}: {some(differing)}"
            yield self.judged(differing, text, file=wheel.filename)


def _place(wheel: Wheel) -> tuple[tuple[str, ...], ...]:
    return wheel.name.plain.python, wheel.name.plain.abi, wheel.name.platform


def _pure(wheel: DescribedWheel) -> dict[str, str]:
    """Return the digests of the files that no compiler made and that are the same in every build."""
    assert wheel.record is not None  # noqa: S101  (the caller has looked)
    return {
        row.path: row.digest
        for row in wheel.record.rows
        if ".dist-info/" not in row.path
        and ".libs/" not in row.path
        and not is_library(row.path)
        and not row.path.endswith(_BUILD_TIME)
    }
