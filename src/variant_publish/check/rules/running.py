"""Rules by running (`--run`): a wheel imports on the lowest processor that it promises to run on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from variant_publish.archive.wheel import WholeWheel
from variant_publish.check.engine.binaries import Claims
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule, Severity
from variant_publish.check.engine.trial import CPUS, Trial, fits_here, missing_tool, missing_walls, tried
from variant_publish.providers.platforms import X86_64, platform_architecture

_AGAIN = "run the import by hand to see more: qemu-x86_64 -cpu {} python -c 'import ...'"


class _Run(ReleaseRule[WholeWheel]):
    """What both rules share: every wheel of this system is run once."""

    is_of_one_wheel = True

    def _trials(self, context: Context) -> Iterator[tuple[WholeWheel, int, Trial | str]]:
        """Return each wheel with the level that it promises and its trial, or why there is none."""
        wheels = self.wheels(context)
        if not context.run:
            yield from ((wheel, 1, "nobody asked to run it (--run)") for wheel in wheels)
            return
        todo = [wheel for wheel in wheels if wheel.path not in context.trials and not _unfit(wheel)]
        if todo and not missing_tool():
            if missing_walls() and not context.trials:
                context.reporter.note(f"wheels are run without {' and '.join(missing_walls())}, which do not work here")
            with ThreadPoolExecutor(context.jobs) as pool:
                results = pool.map(lambda wheel: _tried(wheel, context), todo)
                context.trials.update(zip((wheel.path for wheel in todo), results, strict=True))
        for wheel in wheels:
            yield wheel, _promised(wheel, context), _unfit(wheel) or context.trials.get(wheel.path, Trial())


class RunsWherePromised(_Run):
    """Prove, when asked (`--run`), that a wheel imports on the lowest processor that it promises to run on.

    Whatever a file looks like: an illegal instruction is one. Each wheel is installed with its dependencies into an
    environment of its own, and its modules are imported under an emulator; this executes its code. Dependencies are
    imported before, so that the one that dies is named.
    """

    id = "VP901"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel."""
        for wheel, level, trial in self._trials(context):
            if isinstance(trial, str):
                yield Outcome.skipped(trial)
            elif tool := missing_tool():
                yield Outcome.unknown(f"it was not run: {tool}", "install it, and check again", file=wheel.filename)
            elif level not in CPUS:
                message = f"it promises x86-64-v{level}, which the emulator cannot be"
                yield Outcome.unknown(message, "run it on such a machine", file=wheel.filename)
            else:
                yield _judged(wheel, level, trial)


class RunsOnLess(_Run):
    """Report, when asked (`--run`), a wheel for x86-64-v2 or higher that imports on x86-64-v1, too.

    What was compiled for more mostly dies there, so perhaps the flags were lost. An import proves little: the code that
    needs more may be called later.
    """

    id = "VP902"
    severity = Severity.INFO
    hint = "look at what VP507 says of its code; nothing to do if it is on purpose"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each wheel that claims a level."""
        for wheel, level, trial in self._trials(context):
            if isinstance(trial, str) or level < 2 or missing_tool():
                yield Outcome.skipped(trial if isinstance(trial, str) else "the wheel promises v1, or was not run")
            else:
                text = f"it promises x86-64-v{level} only, and imports on x86-64-v1 too"
                yield self.judged(trial.runs_on == 1, text, file=wheel.filename)


def _judged(wheel: WholeWheel, level: int, trial: Trial) -> Outcome:
    hint = _AGAIN.format(CPUS[level])
    if blame := trial.blame(level):
        return Outcome.unknown(f"{blame}, which it requires, dies on x86-64-v{level}", hint, file=wheel.filename)
    if level not in trial.dies_on:
        if trial.runs_on is None:
            return Outcome.unknown(f"it does not import: {trial.fault}", hint, file=wheel.filename)
        return Outcome.passed()
    place = f" in {trial.dies_on[level]}" if trial.dies_on[level] else ""
    where = f"; it runs on x86-64-v{trial.runs_on}" if trial.runs_on else ""
    return Outcome.failed(
        f"it dies on x86-64-v{level}{place}{where}",
        f"compile it for x86-64-v{level}, or publish it as a variant for what it needs (check.baseline, retag --tag)",
        file=wheel.filename,
    )


def _promised(wheel: WholeWheel, context: Context) -> int:
    return Claims.of(context, wheel).level or int(context.release.config.check.baseline[1:])


def _unfit(wheel: WholeWheel) -> str:
    for_x86 = any(platform_architecture(platform) == X86_64 for platform in wheel.name.platform)
    return "" if for_x86 and fits_here(wheel) else "not for x86-64 on this system and Python"


def _tried(wheel: WholeWheel, context: Context) -> Trial:
    """Run it on v1 first, whatever it promises: both rules want to know."""
    return tried(wheel, sorted(CPUS), context.release.config.check.run, context.index)
