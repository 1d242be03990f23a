"""Trial runs: the modules of a wheel, imported in an environment of their own on an emulated processor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import msgspec
from packaging.tags import sys_tags

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.scan import FOR_SOME
from variant_publish.errors import VariantPublishError

LIMIT_S = 180.0
"""How long one import may take; an emulator is some 20 times slower than the processor."""

EMULATOR = "qemu-x86_64"
CPUS: Mapping[int, str] = {1: "qemu64", 2: "Nehalem", 3: "Haswell"}
"""What the emulator calls a processor of each level; it cannot be one of v4."""

_MEMORY, _WRITTEN, _READ = 8 << 30, 1 << 30, 1 << 20
"""Bytes that a wheel may have mapped (the emulator's included) and write to one file, and those read of its errors."""

_WALLS: Mapping[str, tuple[str, ...]] = {
    "limits of memory and CPU time (prlimit)": (
        "prlimit", f"--as={_MEMORY}", f"--cpu={LIMIT_S:.0f}:{LIMIT_S + 9:.0f}", f"--fsize={_WRITTEN}", "--core=0",
    ),
    "a network of its own (unshare)": ("unshare", "--map-root-user", "--net"),
}  # fmt: skip
"""What a wheel is run behind, and the command that makes it; users may not make namespaces on every system."""

_MANY = 64
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
_ILLEGAL, _TOO_LONG = (-4, 132), (-24, 152)
_BLAMED = "blame: "

_SCRIPT = """
import importlib, sys
from importlib.machinery import ExtensionFileLoader
create = ExtensionFileLoader.create_module
def loading(self, spec):
    print("loading", spec.origin, file=sys.stderr, flush=True)
    return create(self, spec)
ExtensionFileLoader.create_module = loading
done, failed = 0, None
for word in sys.argv[1:]:
    stage, _, name = word.partition(":")
    print(stage, name, file=sys.stderr, flush=True)
    try:
        importlib.import_module(name)
        done += stage == "own"
    except Exception as error:
        failed = error if stage == "own" else failed
if failed is not None and not done:
    raise failed
"""
# Modules that are imported by their own names ("deep") need not work alone: an illegal instruction is what counts.


class Trial(msgspec.Struct, frozen=True):
    """What one wheel did: the lowest level that it runs on, and where it died, or what it said, on lesser ones.

    `fault` says why nothing was proven: it does not import anywhere.
    """

    runs_on: int | None = None
    dies_on: Mapping[int, str] = {}
    fault: str = ""

    def blame(self, level: int) -> str:
        """Return the dependency that died on a level; "" where the wheel itself did."""
        text = self.dies_on.get(level, "")
        return text.removeprefix(_BLAMED) if text.startswith(_BLAMED) else ""


@cache
def missing_tool() -> str:
    """Return what is to be installed before a wheel can be run; "" where nothing is missing."""
    if sys.platform != "linux":
        return "wheels are run on Linux only"
    if shutil.which(EMULATOR) is None:
        return f"{EMULATOR} is not installed (Debian, Ubuntu: apt-get install qemu-user)"
    return "" if shutil.which(_uv()) else "uv, which makes the environments, is not installed (pip install uv)"


@cache
def missing_walls() -> tuple[str, ...]:
    """Return what wheels are run without on this system."""
    return tuple(name for name, command in _WALLS.items() if not _succeeds([*command, "true"]))


def _succeeds(command: list[str]) -> bool:
    return (
        shutil.which(command[0]) is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def fits_here(wheel: WholeWheel) -> bool:
    """Return whether the wheel is one for this system and this Python."""
    return not wheel.name.tags.isdisjoint(_own_tags())


def tried(wheel: WholeWheel, levels: Iterable[int], command: str, index: str | None) -> Trial:
    """Install a wheel with its dependencies, and run it on processors of these levels, the lowest first.

    The first level that it runs on ends it.
    """
    with TemporaryDirectory(prefix="variant-publish-run-") as text:
        folder = Path(text)
        try:
            python = _environment(wheel, folder, index)
        except VariantPublishError as error:
            return Trial(fault=error.message)
        words = shlex.split(command) or ["python", "-c", _SCRIPT, *_words(wheel, folder)]
        lines = [str(python) if word == "python" else word for word in words]
        refused: dict[int, str] = {}
        died: dict[int, str] = {}
        for level in levels:
            status, stderr = _run(lines, level, folder)
            if status == 0:
                # What fails on less, and not here, fails for the processor: NumPy looks at it, and says so.
                return Trial(level, {**refused, **died})
            if status not in _ILLEGAL:
                refused[level] = _reason(status, stderr)
            elif blame := _blame(stderr, wheel, folder):
                died[level] = f"{_BLAMED}{blame}"
            else:
                died[level] = _last(stderr, "loading ", folder)
        return Trial(None, died, next(iter(refused.values()), ""))


def _reason(status: int | None, stderr: str) -> str:
    found = [line.strip() for line in stderr.splitlines() if line.strip()]
    return stderr if status is None else found[-1] if found else f"exit status {status}"


@cache
def _own_tags() -> frozenset[object]:
    return frozenset(sys_tags())


@cache
def _uv() -> str:
    try:
        from uv import find_uv_bin
    except ImportError:
        return "uv"
    return str(find_uv_bin())


def _environment(wheel: WholeWheel, folder: Path, index: str | None) -> Path:
    """Make an environment with the wheel under its plain name, and return its Python; nothing of it runs."""
    plain = folder / str(wheel.name.plain)
    plain.symlink_to(wheel.path.absolute())
    python = folder / "environment/bin/python"
    where = ["--default-index", index] if index else []
    for arguments in (
        ["venv", "--python", sys.executable, str(folder / "environment")],
        ["pip", "install", "--no-build", "--python", str(python), *where, str(plain)],
    ):
        done = subprocess.run(
            [_uv(), *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=600
        )
        if done.returncode:
            reason = " ".join(done.stderr.split())[-300:]
            raise VariantPublishError(f"it cannot be installed: {reason}", hint="install it by hand to see why")
    return python


def _words(wheel: WholeWheel, folder: Path) -> list[str]:
    """Return the modules to import, those of the dependencies first."""
    own = {path.split("/")[0] for path in _paths(wheel)}
    site = next((folder / "environment/lib").glob("python3*/site-packages"))
    others = sorted(path.name for path in site.iterdir() if path.is_dir() and (path / "__init__.py").is_file())
    needs = [f"needs:{name}" for name in others if name not in own]
    packages = {path.split("/")[0] for path in _paths(wheel) if path.count("/") == 1 and path.endswith("/__init__.py")}
    files = {path.split(".")[0] for path in _paths(wheel) if "/" not in path and path.endswith((".py", ".so"))}
    tops = [f"own:{name}" for name in sorted(packages | files) if name.isidentifier()]
    return [*needs, *tops, *(f"deep:{name}" for name in _extensions(wheel)[:_MANY])]


def _extensions(wheel: WholeWheel) -> list[str]:
    """Return the extension modules, those apart that are loaded on some machines only, and tests."""
    found = []
    for path in _paths(wheel):
        folder, _, file = path.rpartition("/")
        name = ".".join([*folder.split("/"), file.partition(".")[0]])
        is_module = file.endswith(".so") and all(part.isidentifier() for part in name.split("."))
        if folder and is_module and "test" not in name and not FOR_SOME.search(file.lower()):
            found.append(name)
    return found


def _paths(wheel: WholeWheel) -> list[str]:
    return [] if wheel.record is None else [row.path for row in wheel.record.rows]


def _run(words: list[str], level: int, folder: Path) -> tuple[int | None, str]:
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environ |= {"HOME": str(folder), "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    walls = [word for name, command in _WALLS.items() if name not in missing_walls() for word in command]
    too_long = None, f"it took longer than {LIMIT_S:g} s"
    with TemporaryFile() as errors:
        try:
            done = subprocess.run(
                [*walls, EMULATOR, "-cpu", CPUS[level], *words], cwd=folder, env=environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors, check=False, timeout=LIMIT_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return too_long
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _READ))
        stderr = errors.read().decode("utf-8", "replace")
    return too_long if done.returncode in _TOO_LONG else (done.returncode, stderr)


def _blame(stderr: str, wheel: WholeWheel, folder: Path) -> str:
    """Return the dependency that died: it was imported by itself, or its library was the last one loaded."""
    stages = [line for line in stderr.splitlines() if line.startswith(("needs ", "own ", "deep "))]
    if stages and stages[-1].startswith("needs "):
        return stages[-1].removeprefix("needs ")
    last = _last(stderr, "loading ", folder)
    return last.partition("/")[0] if last and last not in _paths(wheel) and "/" in last else ""


def _last(stderr: str, start: str, folder: Path) -> str:
    """Return the last library that was loaded, as RECORD names it; "" where none was, or one of Python's own."""
    found = [line.removeprefix(start) for line in stderr.splitlines() if line.startswith(start)]
    _, inside, path = found[-1].rpartition("/site-packages/") if found else ("", "", "")
    return path if inside else ""
