"""Rules 3xx that compare a release with the one before it: no cell is gone, no wheel has grown without need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from variant_publish.archive.wheel import Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Severity, some
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.model.interpreters import gets_releases, interpreter_exists, is_for
from variant_publish.model.matrix import Cell, own_platforms, own_pythons
from variant_publish.model.tags import in_use, platform_serves, python_covers

_NO_PREVIOUS = "no previous release is known (name an index with --index)"
_GROWN = 1.5
_SMALL = 5_000_000


class NothingGone(ReleaseRule[Wheel]):
    """Prove that every cell of the previous release has a wheel in this one too.

    Whoever had a wheel gets the sdist now, or stays on the old release without a word. A Python that Requires-Python
    leaves out was dropped on purpose.
    """

    id = "VP308"
    severity = Severity.WARNING
    hint = "build it, or tell users that it is gone; Requires-Python says so for a Python"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield a failure for each platform and variant that lost Pythons, else a pass for each cell."""
        if not context.previous:
            yield Outcome.skipped(_NO_PREVIOUS)
            return
        before = list(dict.fromkeys(cell for name, _ in _named(context) for cell in _cells(context, name)))
        gone: list[Cell] = []
        for cell in before:
            is_real = interpreter_exists(cell.python, cell.platform)
            if not is_real or _is_served(context, cell) or _is_dropped(context, cell.python):
                yield Outcome.passed()
            else:
                gone.append(cell)
        had, lost = (Counter((cell.python, cell.variant) for cell in cells) for cells in (before, gone))
        groups: dict[tuple[str, str], list[Cell]] = {}
        for cell in gone:
            key = (cell.python, cell.variant)
            where = "any platform" if had[key] == lost[key] > 1 else cell.platform
            groups.setdefault((where, cell.variant), []).append(cell)
        for (where, variant), cells in groups.items():
            pythons = sorted({cell.python for cell in cells})
            yield self.failed(
                f"no wheel for {some(pythons, 6)} on {where}, {variant}: the previous release had", cell=cells[0]
            )


class NoGrowth(ReleaseRule[Wheel]):
    """Report wheels that are much larger than the one of the same name in the previous release.

    Debug symbols that were not stripped and libraries that were copied twice are found in this way, before the limit
    of the index is.
    """

    id = "VP309"
    severity = Severity.INFO
    hint = "look for debug symbols and libraries that are there twice; nothing to do if it is on purpose"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel that has one with the same tags in the previous release."""
        before = {_tags(context, name): size for name, size in _named(context) if size}
        if not before:
            yield Outcome.skipped(_NO_PREVIOUS)
        for wheel in context.release.wheels:
            old = before.get(_tags(context, wheel.name))
            if old is None:
                continue
            text = f"it has {wheel.size / 1e6:.1f} MB, the one of the previous release {old / 1e6:.1f} MB"
            yield self.judged(wheel.size > max(old * _GROWN, old + _SMALL), text, file=wheel.filename)


def _named(context: Context) -> Iterator[tuple[WheelName, int]]:
    for file in context.previous:
        if (name := WheelName.find(file.filename)) is not None:
            yield name, file.size or 0


def _tags(context: Context, name: WheelName) -> tuple[object, ...]:
    return name.plain.python, name.plain.abi, own_platforms(name.plain), context.release.variant_of(name)


def _cells(context: Context, name: WheelName) -> Iterator[Cell]:
    for python in own_pythons(name.plain):
        for platform in own_platforms(name.plain):
            yield Cell(python, in_use(platform), context.release.variant_of(name))


def _is_served(context: Context, cell: Cell) -> bool:
    """Return whether a wheel serves the cell; of macOS, one for an older or newer minimum version does."""
    return any(
        context.release.variant_of(wheel.name) == cell.variant
        and any(
            (python_covers(tag.interpreter, tag.abi, cell.python) or is_for(tag.interpreter, tag.abi, cell.python))
            and (platform_serves(tag.platform, cell.platform) or _same_mac(tag.platform, cell.platform))
            for tag in wheel.name.tags
        )
        for wheel in context.release.wheels
    )


def _same_mac(one: str, two: str) -> bool:
    """Return whether two tags are of macOS and one architecture: its minimum version rises with every toolchain."""
    return one.startswith("macosx_") and two.startswith("macosx_") and one.split("_", 3)[3] == two.split("_", 3)[3]


def _is_dropped(context: Context, python: str) -> bool:
    """Return whether no wheel wants this Python any more, or the interpreter gets no releases."""
    if not gets_releases(python):
        return True
    minor = python.partition("-")[0].removeprefix("cp3")
    if not minor.isdigit():
        return False
    for wheel in context.release.wheels:
        try:
            if SpecifierSet(wheel.metadata.requires_python or "").contains(f"3.{minor}.99"):
                return False
        except InvalidSpecifier:
            return False
    return True
