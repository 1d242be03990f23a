"""Rules by running (`--run`): a wheel imports on the lowest processor that it promises to run on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from variant_publish.archive.wheel import WholeWheel
from variant_publish.check.engine.binaries import Claims
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, Severity, WheelRule
from variant_publish.check.engine.trial import CPUS, Trial, fits_here, missing_tool, missing_walls, tried
from variant_publish.providers.platforms import X86_64, platform_architecture

_AGAIN = "run the import by hand to see more: qemu-x86_64 -cpu {} python -c 'import ...'"


class _Run(WheelRule[WholeWheel]):
    """What both rules share: every wheel of this system is run once, several at a time."""

    def prepare(self, context: Context) -> None:
        """Run the wheels of a release, where somebody asked for it."""
        wheels = [wheel for wheel in context.release.wheels if isinstance(wheel, WholeWheel) and not _unfit(wheel)]
        todo = [wheel for wheel in wheels if wheel.path not in context.trials]
        if not todo or not context.run or missing_tool():
            return
        if missing_walls() and not context.trials:
            context.reporter.note(f"wheels are run without {' and '.join(missing_walls())}, which do not work here")
        with ThreadPoolExecutor(context.jobs) as pool:
            results = pool.map(lambda wheel: _tried(wheel, context), todo)
            context.trials.update(zip((wheel.path for wheel in todo), results, strict=True))

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels for other machines, and everything where nobody asked."""
        return _unfit(wheel) if context.run else "nobody asked to run it (--run)"

    def trial(self, wheel: WholeWheel, context: Context) -> Trial:
        """Return what the wheel did."""
        self.prepare(context)
        return context.trials.get(wheel.path, Trial())


class RunsWherePromised(_Run):
    """Prove, when asked (`--run`), that a wheel imports on the lowest processor that it promises to run on.

    Whatever a file looks like: an illegal instruction is one. Each wheel is installed with its dependencies into an
    environment of its own, and its modules are imported under an emulator; this executes its code. Dependencies are
    imported before, so that the one that dies is named.
    """

    id = "VP901"

    def problems(self, wheel: WholeWheel, context: Context) -> Problems:
        """Look at where it died, or why it was not run."""
        level, trial = _promised(wheel, context), self.trial(wheel, context)
        hint = _AGAIN.format(CPUS.get(level))
        if tool := missing_tool():
            yield Outcome.unknown(f"it was not run: {tool}", "install it, and check again")
        elif level not in CPUS:
            message = f"it promises x86-64-v{level}, which the emulator cannot be"
            yield Outcome.unknown(message, "run it on such a machine")
        elif blame := trial.blame(level):
            yield Outcome.unknown(f"{blame}, which it requires, dies on x86-64-v{level}", hint)
        elif level in trial.dies_on:
            place = f" in {trial.dies_on[level]}" if trial.dies_on[level] else ""
            where = f"; it runs on x86-64-v{trial.runs_on}" if trial.runs_on else ""
            ways = "publish it as a variant for what it needs (check.baseline, retag --tag)"
            yield f"it dies on x86-64-v{level}{place}{where}", f"compile it for x86-64-v{level}, or {ways}"
        elif trial.runs_on is None:
            yield Outcome.unknown(f"it does not import: {trial.fault}", hint)


class RunsOnLess(_Run):
    """Report, when asked (`--run`), a wheel for x86-64-v2 or higher that imports on x86-64-v1, too.

    What was compiled for more mostly dies there, so perhaps the flags were lost. An import proves little: the code that
    needs more may be called later.
    """

    id = "VP902"
    severity = Severity.INFO
    hint = "look at what VP507 says of its code; nothing to do if it is on purpose"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out what promises no more, too."""
        nothing = _promised(wheel, context) < 2 or missing_tool()
        return super().not_for(wheel, context) or ("the wheel promises v1, or was not run" if nothing else None)

    def problems(self, wheel: WholeWheel, context: Context) -> Problems:
        """Look at whether it ran on the lowest level."""
        if self.trial(wheel, context).runs_on == 1:
            yield f"it promises x86-64-v{_promised(wheel, context)} only, and imports on x86-64-v1 too"


def _promised(wheel: WholeWheel, context: Context) -> int:
    return Claims.of(context, wheel).level or int(context.release.config.check.baseline[1:])


def _unfit(wheel: WholeWheel) -> str:
    for_x86 = any(platform_architecture(platform) == X86_64 for platform in wheel.name.platform)
    return "" if for_x86 and fits_here(wheel) else "not for x86-64 on this system and Python"


def _tried(wheel: WholeWheel, context: Context) -> Trial:
    """Run it on v1 first, whatever it promises: both rules want to know."""
    return tried(wheel, sorted(CPUS), context.release.config.check.run, context.index)
