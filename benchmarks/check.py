"""Time `check`: the rules that read no binary on wheels of many members, and all of them on real wheels.

    python benchmarks/check.py [--runs N] [WHEEL...]

Without wheels it downloads the releases of docs/field-notes.md (about 1.1 GB) into `bench-wheels` with pip. Each wheel
is held against `python -m zipfile -t` on it, one right after the other; what counts is the ratio of the CPU time with
`-j1`, for that of wall time follows what else the machine does, and of wall time with `-j2`. Every process finds the
bytecode of the libraries, as after an installation.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from variant_publish.check.engine.binaries import BinaryRule
from variant_publish.check.engine.registry import RULES
from variant_publish.check.engine.rule_choice import Choice
from variant_publish.check.engine.runner import Settings, check
from variant_publish.config.configuration import Config
from variant_publish.formats.record import Record, RecordRow
from variant_publish.release.release import load

PROJECTS = (
    "xgboost", "xgboost-cpu", "polars-runtime-32", "polars-runtime-compat", "faiss-cpu", "pyarrow", "pandas",
    "bitsandbytes", "nvidia-cudnn-cu12", "cupy-cuda12x",
)  # fmt: skip
FOLDER = Path("bench-wheels")
MAIN = "from variant_publish.cli.main import main; main()"
MEMBERS = (20, 500, 2000, 5000, 12000)
READ_BINARIES = (*(rule.id for rule in RULES if isinstance(rule, BinaryRule)), "VP112", "VP408", "VP409")
BAR_MS, BAR_US = 5.0, 20.0


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("wheels", nargs="*", type=Path)
    options = parser.parse_args()
    members(options.runs)
    print()
    real(options.wheels or download(), options.runs)


def members(runs: int) -> None:
    """Time the rules that read no binary, in this process; the best of several runs, and a line through them.

    `zipfile.ZipFile(path)`, which reads the directory of the archive and nothing else, tells how fast the machine is.
    """
    print("Rules that read no binary, one wheel, in a process that has imported them; CPU time, the best of several:\n")
    print("| members | ms | allowed | `zipfile.ZipFile` | ratio |\n| ---: | ---: | ---: | ---: | ---: |")
    settings = Settings(Choice((), READ_BINARIES))
    found: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as root:
        for count in MEMBERS:
            folder = Path(root) / str(count)
            path = write_wheel(folder, count)
            pairs = [(cpu(check_folder, folder, settings), cpu(zipfile.ZipFile, path)) for _ in range(5 * runs)]
            best, directory = (min(column) * 1000 for column in zip(*pairs, strict=True))
            found.append((count, best))
            allowed = BAR_MS + BAR_US * count / 1000
            print(f"| {count} | {best:.1f} | {allowed:.1f} | {directory:.1f} | {best / directory:.1f} |")
    slope, intercept = statistics.linear_regression(*zip(*found, strict=True))
    print(f"\nFitted: {intercept:.1f} ms + {slope * 1000:.1f} us a member; the bar is {BAR_MS} ms + {BAR_US} us.")


def check_folder(folder: Path, settings: Settings) -> None:
    """Read the wheels of a folder and check them."""
    check(load([folder], Config.parse("")), settings=replace(settings, offline=True))


def real(paths: list[Path], runs: int) -> None:
    """Time whole processes on real wheels: medians, the medians of the ratios, peak memory, and what was found."""
    starts = [timed("-c", MAIN, "check", "--list") for _ in range(runs + 1)][1:]
    start, idle = statistics.median(one.cpu for one in starts), max(one.peak for one in starts)
    print(f"Whole processes, medians of {runs}; `check --list` alone takes {start:.2f} s of CPU and {idle:.0f} MiB.\n")
    print(
        "| wheel | MB | largest member | `zipfile -t` | `check -j1` | CPU ratio | wall ratio, `-j2` | MiB | findings |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for path in paths:
        command = ("-c", MAIN, "check", "--offline", "--format", "github", str(path))
        rounds = [
            (timed(*command, "-j1"), timed("-m", "zipfile", "-t", str(path)), timed(*command, "-j2"))
            for _ in range(runs)
        ]
        one, test = (statistics.median(each.cpu for each in column) for column in (*zip(*rounds, strict=True),)[:2])
        ratio = statistics.median(one.cpu / test.cpu for one, test, _ in rounds)
        wall = statistics.median(two.wall / test.wall for _, test, two in rounds)
        last = rounds[-1][2]
        ids = sorted({line.split("title=")[1][:5] for line in last.output.splitlines() if "title=" in line})
        with zipfile.ZipFile(path) as archive:
            largest = max(info.file_size for info in archive.infolist())
        name = path.name.split("-py3")[0].split("-cp3")[0]
        cells = [name, f"{path.stat().st_size / 1e6:.1f}", f"{largest / 1e6:.1f}", f"{test:.2f}", f"{one:.2f}"]
        cells += [f"{ratio:.2f}", f"{wall:.2f}", f"{last.peak:.0f}", " ".join(ids) or "none"]
        print(f"| {' | '.join(cells)} |", flush=True)
    together = ("-c", MAIN, "check", "--offline", "--fast", *map(str, paths))
    one, two = (timed(*together, f"-j{jobs}").wall for jobs in (1, 2))
    print(f"\nAll of them at once, `--fast`: {one:.1f} s by one process, {two:.1f} s by two.")


@dataclass(frozen=True, slots=True)
class Timed:
    """Hold wall and CPU seconds, the peak memory of the process in MiB, and what it wrote."""

    wall: float
    cpu: float
    peak: float
    output: str


def timed(*arguments: str) -> Timed:
    """Run Python with these arguments."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "variant-publish-bytecode"))
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=stream, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stream.seek(0)
        return Timed(wall, usage.ru_utime + usage.ru_stime, peak_of(usage), stream.read())


def peak_of(usage: resource.struct_rusage) -> float:
    """Give the peak of resident memory in MiB: the kernel counts in KiB, macOS in bytes."""
    return usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def cpu(call: Callable[..., object], *arguments: object) -> float:
    """Give the CPU seconds of one call: other processes on the machine disturb them less than wall time."""
    start = time.process_time()
    call(*arguments)
    return time.process_time() - start


def write_wheel(folder: Path, count: int) -> Path:
    """Write a wheel with so many small Python files, in folders of a hundred."""
    folder.mkdir()
    info = "foo-1.0.dist-info"
    files = {f"foo/part{number // 100}/module{number}.py": b"x = %d\n" % number for number in range(count)}
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-manylinux_2_28_x86_64\n"
    rows = [RecordRow.of(path, content) for path, content in files.items()]
    files[f"{info}/RECORD"] = bytes(Record((*rows, RecordRow(f"{info}/RECORD"))))
    wheel = folder / "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def download() -> list[Path]:
    """Fetch the newest wheel of each project for this Python."""
    FOLDER.mkdir(exist_ok=True)
    if not any(FOLDER.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(FOLDER)]
        subprocess.run([*pip, *PROJECTS], check=True)
    return sorted(FOLDER.glob("*.whl"))


if __name__ == "__main__":
    main()
