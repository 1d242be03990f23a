"""The scans of wheels, each made once: when it is asked for, or ahead of that on the other processors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.evidence import EvidenceReader
from variant_publish.binary.scan import Scan, scan
from variant_publish.errors import VariantPublishError

if TYPE_CHECKING:
    from concurrent.futures import Future

_WORTH = 32 * 1024 * 1024
"""Bytes of wheels, below which starting processes or threads takes longer than the work."""


class Scans:
    """Scan wheels by the same readers, and keep what is found."""

    def __init__(self, readers: Sequence[EvidenceReader], *, simd: bool = True) -> None:
        self._readers, self._simd = readers, simd
        self._made: dict[Path, Scan] = {}
        self._coming: dict[Path, Future[Scan]] = {}

    def start(self, wheels: Sequence[WholeWheel], jobs: int) -> None:
        """Begin to scan wheels, the largest first: several in processes of their own, a single one in threads.

        Inflating, hashing and writing need no interpreter, so of one wheel they go on beside the rules that read
        dist-info. Little work is left to whoever asks for it.
        """
        if jobs < 2 or sum(wheel.size for wheel in wheels) < _WORTH:
            return
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

        # a fork would copy the threads and locks of a progress bar
        spawn = multiprocessing.get_context("spawn")
        pool = ThreadPoolExecutor(1) if len(wheels) == 1 else ProcessPoolExecutor(min(jobs, len(wheels)), spawn)
        for wheel in sorted(wheels, key=lambda wheel: wheel.size, reverse=True):
            self._coming[wheel.path] = pool.submit(scan, wheel, self._readers, simd=self._simd, ahead=len(wheels) == 1)
        pool.shutdown(wait=False)

    def of(self, wheel: WholeWheel) -> Scan:
        """Return the scan of a wheel; raise VariantPublishError where the wheel cannot be read."""
        coming = self._coming.pop(wheel.path, None)
        if coming is not None:
            with suppress(VariantPublishError, OSError, RuntimeError):  # scanned again below, which says why
                self._made[wheel.path] = coming.result()
        if wheel.path not in self._made:
            self._made[wheel.path] = scan(wheel, self._readers, simd=self._simd)
        return self._made[wheel.path]
