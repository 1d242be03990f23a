"""Scan many wheels, in this process or in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.evidence import EvidenceReader
from variant_publish.binary.scan import Scan, scan
from variant_publish.errors import VariantPublishError

_WORTH = 32 * 1024 * 1024
"""Bytes of wheels, below which starting processes takes longer than the work."""


def scan_all(
    wheels: Sequence[WholeWheel], readers: Sequence[EvidenceReader], *, simd: bool, processes: int
) -> dict[Path, Scan]:
    """Scan the wheels, the largest first, by at most so many processes.

    Wheels that cannot be read are left out: who asks for one of them again is told why. Small sets, and those of one
    wheel, are left out altogether: starting a process takes longer than reading them.
    """
    processes = min(processes, len(wheels))
    if processes < 2 or sum(wheel.size for wheel in wheels) < _WORTH:
        return {}
    largest_first = sorted(wheels, key=lambda wheel: wheel.size, reverse=True)
    return dict(_side_by_side([wheel.path for wheel in largest_first], readers, simd, processes))


def _side_by_side(
    paths: Sequence[Path], readers: Sequence[EvidenceReader], simd: bool, processes: int
) -> Iterator[tuple[Path, Scan]]:
    import multiprocessing  # not at the top: one wheel needs none of it
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")  # a fork would copy the threads and locks of a progress bar
    with ProcessPoolExecutor(processes, context) as pool:
        futures = [pool.submit(_scan, path, readers, simd) for path in paths]
        for path, future in zip(paths, futures, strict=True):
            try:
                yield path, future.result()
            except (VariantPublishError, OSError, RuntimeError):  # a process that died included
                continue


def _scan(path: Path, readers: Sequence[EvidenceReader], simd: bool) -> Scan:
    return scan(WholeWheel.read(path), readers, simd=simd)
