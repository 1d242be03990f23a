"""Time retag beside `cp` and `wheel tags` on generated wheels: `python benchmarks/retag.py [--quick]`.

Each row is a whole process, start-up included, measured by the operating system's own accounting of the child:
wall and CPU seconds (median of the runs) and peak memory. What counts is the ratio in one run: machines differ.
The last lines leave out the start of interpreter and command line, which the retag of a tiny wheel measures.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import sys
import sysconfig
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from variant_publish.formats.record import Record, RecordRow

NAME = "bench-1.0-py3-none-manylinux_2_28_x86_64.whl"
INFO = "bench-1.0.dist-info"
SYMBOLS = bytes(index % 64 for index in range(256))


@dataclass(frozen=True)
class Cost:
    """Hold what a command cost: seconds of wall and CPU time, MiB of peak memory."""

    wall: float
    cpu: float
    peak: float


def measure(command: list[str], runs: int) -> Cost:
    """Run a command several times; give the medians, and the largest peak."""
    costs = []
    for _ in range(runs):
        start = time.perf_counter()
        pid = os.posix_spawnp(
            command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        )
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise SystemExit(f"{' '.join(command)} failed with status {status}")
        scale = 1024 if sys.platform != "darwin" else 1024 * 1024
        costs.append(Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale))
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
    )


def write_wheel(folder: Path, members: int, size: int) -> None:
    """Write a wheel of about `size` bytes in `members` files, dist-info at the end.

    The files are random over 64 of the 256 byte values, so that they compress to three quarters: between a shared
    library, which compresses better, and an archive of weights, which does not compress at all.
    """
    path = folder / NAME
    each = size // members * 4 // 3
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(members):
            content = os.urandom(each).translate(SYMBOLS)
            archive.writestr(f"bench/{number:05}.bin", content)
            rows.append(RecordRow.of(f"bench/{number:05}.bin", content))
        info = {
            "METADATA": b"Metadata-Version: 2.1\nName: bench\nVersion: 1.0\n",
            "WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-manylinux_2_28_x86_64\n",
        }
        for file, content in info.items():
            archive.writestr(f"{INFO}/{file}", content)
            rows.append(RecordRow.of(f"{INFO}/{file}", content))
        archive.writestr(f"{INFO}/RECORD", bytes(Record((*rows, RecordRow(f"{INFO}/RECORD")))))


def compare(label: str, source: Path, work: Path, runs: int, *, peer: bool) -> None:
    """Print the rows of one wheel."""
    scripts = Path(sysconfig.get_path("scripts"))
    out = work / "out"
    fresh = ["sh", "-c", 'rm -rf "$0" && mkdir "$0" && exec "$@"', str(out)]
    retag = [*fresh, str(scripts / "variant-publish"), "retag", "--tag", "cu128", "-o", str(out)]
    start = measure([*retag, str(work / "tiny" / NAME)], runs)
    nothing = measure([*fresh, "true"], runs)
    cp = measure([*fresh, "cp", str(source), str(out)], runs)
    ours = measure([*retag, str(source)], runs)
    rows = {"start (a tiny wheel)": start, "cp": cp, "variant-publish retag": ours}
    if peer:
        copy = shutil.copy(source, work / "peer")
        rows["wheel tags"] = measure([str(scripts / "wheel"), "tags", "--platform-tag", "linux_x86_64", str(copy)], 1)
    print(f"\n{label}: {source.stat().st_size / 1e6:.0f} MB")
    print(f"{'':24}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}{'wall / cp':>11}")
    for name, cost in rows.items():
        print(f"{name:24}{cost.wall:9.3f}{cost.cpu:9.3f}{cost.peak:10.1f}{cost.wall / cp.wall:11.2f}")
    print(f"work of retag without its start: {(ours.wall - start.wall) / (cp.wall - nothing.wall):.2f} x cp")
    if "wheel tags" in rows:
        print(f"CPU of wheel tags: {rows['wheel tags'].cpu / ours.cpu:.0f} x that of the whole retag")


def main() -> None:
    """Generate the wheels and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, one run")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    runs, scale = (1, 10) if options.quick else (options.runs, 1)
    print(f"{os.uname().machine}, {os.cpu_count()} cores, Python {sys.version.split()[0]}, medians of {runs} runs")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        work = Path(name)
        for folder in ("peer", "tiny"):
            (work / folder).mkdir()
        write_wheel(work / "tiny", 1, 1000)
        for label, members, size in (("few members", 33, 700_000_000), ("many members", 12_000, 190_000_000)):
            # in a process of its own: a child begins with the peak memory of its parent, which must stay small
            writer = multiprocessing.get_context("spawn").Process(
                target=write_wheel, args=(work, members, size // scale)
            )
            writer.start()
            writer.join()
            compare(f"{label} ({members})", work / NAME, work, runs, peer=members < 100)


if __name__ == "__main__":
    main()
