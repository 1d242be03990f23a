"""Time retag beside `cp`, `zip`, `wheel tags` and variantlib: `python benchmarks/retag.py [--quick] [--no-peers]`.

What counts is the ratio to `cp` in one run: machines differ. "retag, the call" is the work alone, measured inside a
process that has imported the library; "retag, the command" is that with the start of interpreter and command line.
Peers rewrite the same wheel as far as they can. variantlib is found on PATH, or named by `--variantlib`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from variant_publish.formats.record import Record, RecordRow

NAME = "bench-1.0-py3-none-manylinux_2_28_x86_64.whl"
INFO = "bench-1.0.dist-info"
SYMBOLS = bytes(index % 64 for index in range(256))
VARIANTLIB = """
[variant.default-priorities]
namespace = ["nvidia"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
"""
CALL = """
import json, resource, sys, time
from pathlib import Path
from variant_publish.archive.retag import Rewrite, retag, retag_in_place
from variant_publish.dialects.plus import PLUS
how, source, folder = sys.argv[1:]
rewrite = Rewrite(PLUS, ("cu128",))
def memory():
    # of this process alone: what getrusage tells begins with the peak of the parent
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    own = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
idle, cpu, wall = memory(), time.process_time(), time.perf_counter()
if how == "in-place":
    retag_in_place(Path(source), rewrite)
else:
    retag(Path(source), Path(folder), rewrite, digest=how == "digest")
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, memory() - idle]))
"""


@dataclass(frozen=True)
class Cost:
    """Hold what something cost: seconds of wall and CPU time, MiB of peak memory (above idle, for a call).

    `failed` says that it came to nothing: a peer may not be up to a wheel.
    """

    wall: float
    cpu: float
    peak: float
    failed: bool = False


@dataclass(frozen=True)
class Case:
    """Hold a kind of wheel: sizes of its files, and whether its dist-info comes first."""

    label: str
    sizes: Sequence[int]
    first: bool = False
    sparse: int = 0


def cases(scale: int) -> list[Case]:
    """Give the wheels; the many members of large projects are small headers, and a few libraries have all the bytes."""
    return [
        Case("small (20 members)", [4000] * 20),
        Case("large (33 members)", [700_000_000 // 30 // scale] * 30),
        Case("many members, like torch", skewed(12_000, 190_000_000 // scale)),
        Case("dist-info first, like tensorflow-cpu", skewed(15_600, 270_000_000 // scale), first=True),
        Case("zip64, 6 GB, sparse", [4000] * 20, sparse=6_000_000_000),
    ]


def skewed(count: int, total: int) -> list[int]:
    """Give the sizes of `count` files, most of them about 1.5 KB, and six that take the rest of `total`."""
    chance = random.Random(1)  # noqa: S311
    small = [int(chance.lognormvariate(7.3, 1.2)) for _ in range(count - 6)]
    return small + [max(total - sum(small), 6_000_000) // 6] * 6


def write_wheel(path: Path, case: Case) -> None:
    """Write a wheel whose files are random over 64 of the 256 byte values: they compress to three quarters."""
    info = {
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: bench\nVersion: 1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-manylinux_2_28_x86_64\n",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if case.first:
            write_info(archive, info, [RecordRow.of(name, content) for name, content in contents(case)])
        rows: list[RecordRow] = []
        for name, content in contents(case):
            archive.writestr(name, content)
            rows.append(RecordRow.of(name, content))
        if case.sparse:
            rows.append(write_hole(archive, "bench/zeros.bin", case.sparse))
        if not case.first:
            write_info(archive, info, rows)


def contents(case: Case) -> Iterator[tuple[str, bytes]]:
    """Give the files of a wheel, the same ones every time."""
    for number, size in enumerate(case.sizes):
        noise = random.Random(number).randbytes(size * 4 // 3)  # noqa: S311
        yield f"bench/include/ops/some_operator_{number:05}_native.h", noise.translate(SYMBOLS)


def write_info(archive: zipfile.ZipFile, info: dict[str, bytes], rows: list[RecordRow]) -> None:
    """Write dist-info with RECORD."""
    for name, content in info.items():
        archive.writestr(name, content)
        rows.append(RecordRow.of(name, content))
    archive.writestr(f"{INFO}/RECORD", bytes(Record((*rows, RecordRow(f"{INFO}/RECORD")))))


def write_hole(archive: zipfile.ZipFile, name: str, size: int) -> RecordRow:
    """Write a stored member of zeros that takes no space on the disk; give its row of RECORD."""
    if archive.fp is None:
        raise ValueError("the archive is closed")
    digest, crc, left, zeros = hashlib.sha256(), 0, size, bytes(16 * 1024 * 1024)
    while left:
        piece = memoryview(zeros)[:left]
        digest.update(piece)
        crc = zlib.crc32(piece, crc)
        left -= len(piece)
    entry = zipfile.ZipInfo(name)
    entry.file_size, entry.compress_size, entry.CRC = size, size, crc
    entry.header_offset = archive.start_dir
    archive.fp.seek(archive.start_dir)
    archive.fp.write(entry.FileHeader(zip64=True))
    archive.fp.seek(size, os.SEEK_CUR)
    archive.start_dir = archive.fp.tell()
    archive.filelist.append(entry)
    archive.NameToInfo[name] = entry
    return RecordRow(name, "sha256=" + base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode(), str(size))


def median(costs: Sequence[Cost]) -> Cost:
    """Give the medians of the times, and the largest peak."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
        any(cost.failed for cost in costs),
    )


def command(arguments: list[str], *, may_fail: bool = False) -> Cost:
    """Run a command, measured by the operating system's own accounting of the child."""
    start = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    pid = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status and not may_fail:
        raise SystemExit(f"{' '.join(arguments)} failed with status {status}")
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale, bool(status))


def call(how: str, source: Path, folder: Path) -> Cost:
    """Time one call of the library, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, how, str(source), str(folder)], check=True, capture_output=True, encoding="utf-8"
    )
    wall, cpu, peak = json.loads(done.stdout)
    return Cost(wall, cpu, peak / (1024 if sys.platform != "darwin" else 1024 * 1024))


class Bench:
    """Measure one wheel in a folder of its own."""

    def __init__(self, work: Path, source: Path, variantlib: str | None) -> None:
        self.source = source
        self.out = work / "out"
        self.variantlib = variantlib
        self.scripts = Path(sysconfig.get_path("scripts"))

    def repeat(self, runs: int, action: Callable[[], Cost], *, copied: bool = False) -> Cost:
        """Measure an action several times, each in a fresh folder, with a copy of the wheel in it if asked for."""
        costs = []
        for _ in range(runs):
            shutil.rmtree(self.out, ignore_errors=True)
            self.out.mkdir()
            if copied:
                command(["cp", str(self.source), str(self.out)])
                os.sync()  # what the copy left to write would be counted as the rewrite's
            costs.append(action())
        shutil.rmtree(self.out)
        return median(costs)

    def rows(self, runs: int, *, peers: bool) -> dict[str, Cost]:
        """Measure everything."""
        source, out, copy = str(self.source), str(self.out), self.out / NAME
        retag = [str(self.scripts / "variant-publish"), "retag", "--tag", "cu128", source, "-o", out]
        rows = {
            "cp": self.repeat(runs, lambda: command(["cp", source, out])),
            "retag, the call": self.repeat(runs, lambda: call("copy", self.source, self.out)),
            "retag --in-place, the call": self.repeat(runs, lambda: call("in-place", copy, self.out), copied=True),
            "retag --digest, the call": self.repeat(runs, lambda: call("digest", self.source, self.out)),
            "retag, the command": self.repeat(runs, lambda: command(retag)),
        }
        if peers:
            rows["cp + zip"] = self.repeat(runs, lambda: self.zip(copy))
            tags = [str(self.scripts / "wheel"), "tags", "--platform-tag", "linux_x86_64", str(copy)]
            rows["wheel tags"] = self.repeat(1, lambda: command(tags, may_fail=True), copied=True)
            if self.variantlib:
                make = [self.variantlib, "make-variant", "-f", source, "-o", out, "--variant-label", "cu128"]
                make += ["-p", "nvidia :: cuda_version_lower_bound :: 12.8", "--skip-plugin-validation"]
                make += ["--pyproject-toml", str(self.out.parent / "pyproject.toml")]
                rows["variantlib"] = self.repeat(1, lambda: command(make, may_fail=True))
        return rows

    def zip(self, copy: Path) -> Cost:
        """Copy, and let Info-ZIP replace WHEEL and RECORD: the honest peer, which knows nothing of wheels."""
        with zipfile.ZipFile(self.source) as archive:
            for file in ("WHEEL", "RECORD"):
                archive.extract(f"{INFO}/{file}", self.out)
        script = 'cp "$0" "$1" && cd "$2" && zip -q "$1" "$3/WHEEL" "$3/RECORD"'
        return command(["sh", "-c", script, str(self.source), str(copy), str(self.out), INFO], may_fail=True)


def table(case: Case, source: Path, rows: dict[str, Cost]) -> float:
    """Print the table of one wheel; gives the seconds of its rewrite in place."""
    cp = rows["cp"]
    print(f"\n### {case.label}: {source.stat().st_size / 1e6:.1f} MB\n")
    print("| | wall s | CPU s | peak MiB | wall / cp | CPU / cp |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, cost in rows.items():
        peak = f"{cost.peak:.1f}" + (" above idle" if "call" in name else "")
        name += " (fails)" if cost.failed else ""
        ratios = f"{cost.wall / cp.wall:.2f} | {cost.cpu / cp.cpu:.2f}"
        print(f"| {name} | {cost.wall:.3f} | {cost.cpu:.3f} | {peak} | {ratios} |")
    if "wheel tags" in rows and not rows["wheel tags"].failed:
        print(f"\nCPU of `wheel tags`: {rows['wheel tags'].cpu / rows['retag, the call'].cpu:.0f} x that of the call.")
    return rows["retag --in-place, the call"].wall


def processor() -> str:
    """Give the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), os.uname().machine)


def main() -> None:
    """Generate the wheels and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, one run")
    parser.add_argument("--no-peers", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--variantlib", default=shutil.which("variantlib"), help="its command; default: on PATH")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    runs, scale = (1, 10) if options.quick else (options.runs, 1)
    print(f"{processor()}, {os.cpu_count()} cores, {os.uname().sysname} {os.uname().release}, ", end="")
    print(f"Python {sys.version.split()[0]}; warm cache, medians of {runs} runs (peers but zip: one).")
    if not options.variantlib and not options.no_peers:
        print("\nvariantlib is not installed, so it is left out.")
    in_place = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        work = Path(name).resolve()
        (work / "pyproject.toml").write_text(VARIANTLIB)
        source = work / NAME
        for case in cases(scale):
            # in a process of its own: a child begins with the peak memory of its parent, which must stay small
            writer = multiprocessing.get_context("spawn").Process(target=write_wheel, args=(source, case))
            writer.start()
            writer.join()
            os.sync()
            rows = Bench(work, source, options.variantlib).rows(runs, peers=not options.no_peers)
            in_place[case.label] = table(case, source, rows)
    small, *_, large = in_place.values()
    print(f"\nIn place, 6 GB takes {large / small:.2f} times as long as the small wheel.")


if __name__ == "__main__":
    main()
