"""Retag many wheels: in this process or in several, one progress bar for all, and all errors at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from variant_publish.archive.retag import Retagged, Rewrite, retag, retag_in_place
from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance, Reporter

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_POLL = 0.1


class Job(msgspec.Struct, frozen=True):
    """What to do with one wheel: a result for each rewrite, in `folder`, or in place where that is None."""

    source: Path
    rewrites: tuple[Rewrite, ...]
    folder: Path | None
    digest: bool = False

    @property
    def size(self) -> int:
        """Return the bytes that the work goes through at most."""
        return self.source.stat().st_size * len(self.rewrites)


class RetagOutcome(msgspec.Struct, frozen=True):
    """What became of one wheel: the results, up to the first error. It travels between processes."""

    done: tuple[Retagged, ...]
    error: VariantPublishError | None = None


def retag_all(jobs: Sequence[Job], processes: int, reporter: Reporter) -> list[RetagOutcome]:
    """Do all jobs, in their order in one process, else side by side; the outcomes are in the order of the jobs.

    The number of processes changes nothing in the results. An error of one wheel does not stop the others.
    """
    label = jobs[0].source.name if len(jobs) == 1 else f"{len(jobs)} wheels"
    with reporter.track(label, sum(job.size for job in jobs)) as advance:
        if min(processes, len(jobs)) <= 1:
            return [_do(job, advance) for job in jobs]
        return _do_side_by_side(jobs, min(processes, len(jobs)), advance)


def _do(job: Job, advance: Advance) -> RetagOutcome:
    done: list[Retagged] = []
    try:
        for rewrite in job.rewrites:
            if job.folder is None:
                done.append(retag_in_place(job.source, rewrite, advance, digest=job.digest))
            else:
                done.append(retag(job.source, job.folder, rewrite, advance, digest=job.digest))
    except VariantPublishError as error:
        return RetagOutcome(tuple(done), VariantPublishError(error.message, hint=error.hint))
    except OSError as error:
        reason = f"{job.source} could not be rewritten ({error.strerror or error})"
        hint = "correct that and run the command again; no file is half-written"
        return RetagOutcome(tuple(done), VariantPublishError(reason, hint=hint))
    return RetagOutcome(tuple(done))


def _do_side_by_side(jobs: Sequence[Job], processes: int, advance: Advance) -> list[RetagOutcome]:
    import multiprocessing  # not at the top: one wheel needs none of it, and it costs more than a small wheel
    from concurrent.futures import ProcessPoolExecutor, wait

    context = multiprocessing.get_context("spawn")  # a fork would copy the threads and locks of a progress bar
    counter = context.Value("Q", 0)
    shown = 0
    with ProcessPoolExecutor(processes, context, _share, (counter,)) as pool:
        futures = [pool.submit(_work, job) for job in jobs]
        pending = set(futures)
        try:
            while pending:
                _, pending = wait(pending, timeout=_POLL)
                advance(counter.value - shown)
                shown = counter.value
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        results = []
        for job, future in zip(jobs, futures, strict=True):
            if isinstance(future.exception(), RuntimeError):
                hint = "run it again, with fewer -j if memory is short"
                died = VariantPublishError(f"the process that rewrote {job.source} died", hint=hint)
                results.append(RetagOutcome((), died))
            else:
                results.append(future.result())
        return results


_counter: Synchronized[int]


def _share(counter: Synchronized[int]) -> None:
    """Take the counter that all processes share; runs once in each of them."""
    global _counter
    _counter = counter


def _work(job: Job) -> RetagOutcome:
    def advance(count: int) -> None:
        with _counter.get_lock():
            _counter.value += count

    return _do(job, advance)
