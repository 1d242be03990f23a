"""Rule on the libraries of other projects that a wheel is linked against: what it needs of them is there."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.version import Version

from variant_publish.archive.wheel import DescribedWheel, WholeWheel
from variant_publish.binary.linkage import Linkage
from variant_publish.binary.loading import lacking
from variant_publish.check.engine.binaries import built_for
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule, some
from variant_publish.check.rules.abi import index_url
from variant_publish.check.rules.destination import user_indexes
from variant_publish.formats.simple import IndexFile
from variant_publish.model.quantity import count
from variant_publish.providers.abi_dependency import abi_choices
from variant_publish.release.dependencies import Dependencies
from variant_publish.remote.default_index import pypi

_NONE = "no dependency is named (--against), and none is declared that an index (--index) could be asked for"


class LoadsWith(ReleaseRule[DescribedWheel]):
    """Prove that the libraries of a wheel load with the dependencies that it was built for.

    A symbol that a library needs and its dependency does not export is an ImportError on the user's machine: "undefined
    symbol". What is there proves that the library loads, not that it works: layouts change without a symbol. --against
    names the dependencies; without it, --index is asked for the oldest and newest release that ABI pins and
    abi_dependency properties allow.
    """

    id = "VP411"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel and release of a dependency."""
        wanted = [(wheel, found) for wheel in self.wheels(context) if (found := _wanted(wheel, context))]
        if not wanted:
            yield Outcome.skipped(_NONE)
        elif context.offline:
            yield Outcome.not_asked(some(dict.fromkeys(str(one) for _, found in wanted for one in found)))
        else:
            named = context.index and index_url(context.index)
            indexes = (named,) if named else user_indexes(context) or (pypi(),)
            dependencies = Dependencies(indexes, context.listing, context.linking.cache, context.reporter)
            for wheel, requirements in wanted:
                if isinstance(wheel, WholeWheel):
                    yield from self._of_wheel(wheel, requirements, dependencies)
                else:
                    yield Outcome.unknown("its libraries were not read", "check the wheel itself", file=wheel.filename)

    def _of_wheel(
        self, wheel: WholeWheel, requirements: tuple[Requirement, ...], dependencies: Dependencies
    ) -> Iterator[Outcome]:
        own = Linkage.read(wheel.path)
        if not own.libraries:
            yield Outcome.skipped("the wheel has no libraries")
            return
        releases: dict[str, dict[Version, tuple[IndexFile, ...]]] = {}
        for one in requirements:
            releases.setdefault(one.name, {}).update(dependencies.releases(one.name, one.specifier))
        for project, versions in releases.items():
            if not versions:
                text = next(str(one) for one in requirements if one.name == project)
                yield Outcome.unknown(
                    f"the index has no wheel of {text}", "name a version that is there", file=wheel.filename
                )
            others = [
                file
                for other, found in releases.items()
                if other != project and found and (file := dependencies.wheel_for(wheel.name, found[max(found)]))
            ]
            for version in sorted({min(versions), max(versions)} if versions else ()):
                yield _outcome(wheel, own, (project, version), versions[version], (dependencies, others))


def _outcome(
    wheel: WholeWheel,
    own: Linkage,
    release: tuple[str, Version],
    files: tuple[IndexFile, ...],
    around: tuple[Dependencies, list[IndexFile]],
) -> Outcome:
    dependencies, others = around
    text = f"{release[0]} {release[1]}"
    file = dependencies.wheel_for(wheel.name, files)
    if file is None:
        return Outcome.unknown(
            f"{text} has no wheel for its Python and platform",
            "check against a version that has one, or leave the cell out of the matrix",
            file=wheel.filename,
        )
    found = dependencies.load(wheel.name, own, file, others)
    if not found.libraries:
        return Outcome.skipped(f"no library needs one of {release[0]}")
    if found.missing:
        return Outcome.failed(
            lacking(found, text), f"build against {text}, or allow only versions that it loads with",
            file=wheel.filename,
        )  # fmt: skip
    if found.unknown:
        return Outcome.unknown(lacking(found, text), "import it with that version to find out", file=wheel.filename)
    return Outcome.passed(f"{wheel.filename} loads with {text}: {count(found.found, 'symbol')} found")


def _wanted(wheel: DescribedWheel, context: Context) -> tuple[Requirement, ...]:
    """Return what the check names, and what the wheel declares where an index is named that may be asked for it."""
    found = list(context.linking.against)
    if context.index is not None and not found:
        found += [pin.plain for pin in wheel.pins]
        found += map(Requirement, abi_choices(built_for(context.release, wheel)))
    return tuple(found)
