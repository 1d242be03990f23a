"""Rules 6xx by simulation: every variant is the best choice somewhere, and every machine gets something."""

from __future__ import annotations

from collections.abc import Iterator

from variant_publish.archive.wheel import DescribedWheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, WheelRule
from variant_publish.check.engine.simulation import Case, simulated
from variant_publish.check.rules.selection import unusable
from variant_publish.model.matrix import Matrix
from variant_publish.model.tags import platform_covers
from variant_publish.model.variant import GENERIC
from variant_publish.providers import catalog

_NO_VARIANTS = "no variant has properties or selectors to choose by"


class EveryVariantChosen(ReleaseRule[DescribedWheel]):
    """Prove that every variant is the best choice of some machine.

    A variant that another one beats wherever it fits is built, uploaded and never installed; mostly its properties, or
    the order of the namespaces, are not what was meant.
    """

    id = "VP607"
    severity = Severity.WARNING
    hint = "correct its properties or the order of the namespaces (priority), or stop building it"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each variant, over all simulated machines."""
        cases = simulated(context)[0]
        best = {case.order[0] for case in cases if case.order}
        yield from (unknown := [*_unknown(context)])
        for variant in sorted(_variants(context)):
            example, why = next((case for case in cases if variant in case.order), None), ""
            if example is not None:
                why = f"on {example} {example.order[0]!r} is chosen, and so on every other one"
            if variant in best or not unknown:
                why = why or "no machine of its platforms has its properties"
                yield self.judged(variant not in best, f"variant {variant!r} is never the best choice: {why}")
        if not cases:
            yield Outcome.skipped(_NO_VARIANTS)


class EveryMachineServed(ReleaseRule[DescribedWheel]):
    """Prove that every machine of a platform that has wheels gets one of them.

    Where no variant fits and no generic or null wheel is there, the installer fails, or goes back to an older release
    without a word. A platform whose generic wheel is skipped in the matrix is one for some machines only.
    """

    id = "VP608"
    hint = "build the generic wheel for it, or a variant that fits"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each platform, with the first machine that is left with nothing."""
        places: dict[str, list[Case]] = {}
        yield from (unknown := [*_unknown(context)])
        for case in simulated(context)[0]:
            places.setdefault(case.platform, []).append(case)
        for platform, cases in places.items():
            left = next((case for case in cases if not case.order and not case.served), None)
            if left is not None and (reason := _why_no_generic(context, platform)):
                yield Outcome.skipped(f"the matrix skips the generic wheel of {platform} ({reason})")
            elif left is None and not unknown:
                yield Outcome.passed()
            elif left is not None:
                yield self.failed(f"{left} gets no wheel, though there are some for {platform}")
        if not places:
            yield Outcome.skipped(_NO_VARIANTS)


def _why_no_generic(context: Context, platform: str) -> str:
    """Return the reason why no generic wheel of the platform is built, "" where one must be."""
    matrix = context.release.config.matrix or Matrix((), ())
    cells = (one for one in matrix.all_cells() if one.variant == GENERIC and platform_covers(platform, one.platform))
    skips = [matrix.skip_of(cell) for cell in cells]
    return "; ".join(dict.fromkeys(skip.reason for skip in skips if skip)) if all(skips) else ""


class NoTies(ReleaseRule[DescribedWheel]):
    """Prove that no choice depends on the alphabet.

    Where two variants are equally good for a machine, PEP 825 takes the one whose label comes first; whoever renames a
    label changes what users get.
    """

    id = "VP609"
    severity = Severity.WARNING
    hint = "give one of them a property that the other has not, or another value"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield a failure for each pair that ties somewhere, with the first machine of it."""
        ties: dict[tuple[str, str], Case] = {}
        for case in simulated(context)[0]:
            for other in case.ties:
                ties.setdefault((case.order[0], other), case)
        for (first, other), case in ties.items():
            yield self.failed(f"{first!r} and {other!r} are equally good for {case}: the label decides")
        yield from (unknown := [*_unknown(context)])
        if not ties and not unknown:
            yield Outcome.passed() if simulated(context)[0] else Outcome.skipped(_NO_VARIANTS)


class AcceptedByUv(WheelRule[DescribedWheel]):
    """Prove, when asked (`--for uv`), that today's uv can choose and install each variant wheel.

    uv reads labels with `--preview-features wheel-variants` and ignores extra tags. It wants the providers in
    the wheel's own variant.json too, and for its vendored providers a version range that holds what it carries;
    otherwise the wheel is never chosen, or the install fails after the download.
    """

    id = "VP610"
    hint = "retag it in dialect pep825 too"

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave out plain and null wheels, and everything where nobody asked."""
        if context.client != "uv":
            return "nobody asked for uv (--for uv)"
        if not wheel.name.chosen_by_installers:
            return "a local version is a version to uv, no variant"
        return "the wheel is no variant" if wheel.name.serves_everyone else None

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Dialect, providers and versions against what uv evaluates."""
        if not wheel.name.plain_installers_read:
            yield "uv reads no extra tags, and never chooses it"
            return
        metadata, label = wheel.variant_json, wheel.name.label
        if metadata is None or label not in metadata.variants:
            return  # VP109 reports it
        for namespace in metadata.variants[label].namespaces:
            if why := unusable(namespace, metadata.providers.get(namespace)):
                yield (
                    f"uv cannot evaluate namespace {namespace!r}: {why}",
                    f"use one of {', '.join(catalog.vendored())} as variant-publish lists them, or static-properties",
                )


def _variants(context: Context) -> set[str]:
    """Return the variants that have wheels in a dialect that was simulated."""
    names = [wheel.name for wheel in context.release.wheels if not wheel.name.serves_everyone]
    dialects = {case.dialect for case in simulated(context)[0]}
    return {name.variant for name in names if name.dialect in dialects}


def _unknown(context: Context) -> Iterator[Outcome]:
    for why in simulated(context)[1]:
        yield Outcome.unknown(why, "list fewer values or variables in it, or publish fewer variants")
