"""Time `check` beside `python -m zipfile -t` on real wheels: wall seconds and peak memory, and what was found.

    python benchmarks/check.py [WHEEL...]

Without arguments it downloads the releases of docs/field-notes.md (about 1.1 GB) into `bench-wheels` with pip.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECTS = (
    "xgboost", "xgboost-cpu", "polars-runtime-32", "polars-runtime-compat", "faiss-cpu", "pyarrow", "pandas",
    "bitsandbytes", "nvidia-cudnn-cu12", "cupy-cuda12x",
)  # fmt: skip
FOLDER = Path("bench-wheels")
MAIN = "from variant_publish.cli.main import main; main()"


def main() -> None:
    """Print one line for each wheel."""
    paths = [Path(argument) for argument in sys.argv[1:]] or download()
    print(f"{'wheel':<42} {'MB':>6} {'zip -t':>7} {'--fast':>7} {'check':>7} {'ratio':>6} {'MiB':>5}  findings")
    for path in paths:
        test, _, _ = timed("-m", "zipfile", "-t", str(path))
        fast, _, _ = timed("-c", MAIN, "check", "--offline", "--fast", "--format", "github", str(path))
        whole, memory, text = timed("-c", MAIN, "check", "--offline", "--format", "github", str(path))
        ids = sorted({line.split("title=")[1][:5] for line in text.splitlines() if "title=" in line})
        print(
            f"{path.name[:42]:<42} {path.stat().st_size / 1e6:6.1f} {test:7.2f} {fast:7.2f} {whole:7.2f}"
            f" {fast / test:6.1f} {memory:5.0f}  {' '.join(ids) or '-'}"
        )


def timed(*arguments: str) -> tuple[float, float, str]:
    """Run Python with these arguments; give wall seconds, the peak memory of that process in MiB, and its output."""
    with tempfile.TemporaryFile("w+") as stream:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdout=stream, stderr=subprocess.STDOUT)
        usage = _wait(process)
        wall = time.perf_counter() - start
        stream.seek(0)
        return wall, usage.ru_maxrss / 1024, stream.read()


def _wait(process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    import os

    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def download() -> list[Path]:
    """Fetch the newest wheel of each project for this Python."""
    FOLDER.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(FOLDER)]
    subprocess.run([*command, *PROJECTS], check=True)
    return sorted(FOLDER.glob("*.whl"))


if __name__ == "__main__":
    main()
