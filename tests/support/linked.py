"""Compile a library in several versions, and an extension that was linked against the first, with the compiler here."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.wheels import make_wheel

PLATFORM = f"manylinux_2_28_{platform.machine()}"
EXTENSION = f"foo-1.0-cp312-cp312-{PLATFORM}.whl"

HEADER = """
namespace dep { int twice(int); struct Thing { int value() const; }; }
extern "C" { int dep_plain(int); int dep_later(int) __attribute__((weak)); }
"""
FIRST = """
namespace dep { int twice(int x) { return 2 * x; } struct Thing { int value() const; }; int Thing::value() const { return 1; } }
extern "C" int dep_plain(int x) { return x; }
"""
VERSIONS = {
    "1.0": FIRST,
    "1.1": FIRST + 'extern "C" int dep_later(int x) { return x; }',
    "2.0": FIRST.replace("int twice(int x)", "long twice(long x)"),
    "3.0": FIRST.replace('extern "C" int dep_plain(int x) { return x; }', ""),
}
"""1.1 adds a symbol that 1.0's users have as weak, 2.0 changes the type of one, 3.0 drops one."""

USER = (
    HEADER
    + """
extern "C" int PyInit__ext() {
    dep::Thing thing;
    return dep::twice(1) + dep_plain(2) + thing.value() + (dep_later ? dep_later(3) : 0);
}
"""
)


def compiled(folder: Path, name: str, source: str, *options: str) -> Path:
    """Compile a shared library, or skip the test where this machine has no compiler for ELF."""
    compiler = shutil.which("g++")
    if compiler is None or platform.system() != "Linux":
        pytest.skip("no g++ on Linux")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.cpp").write_text(source, "utf-8")
    target = folder / name
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-nostdlib", "-o", target, folder / f"{name}.cpp", *options],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


def dependency(folder: Path, version: str, library: str = "libdep.so") -> Path:
    """Write the wheel of one version of the dependency into the folder, which is an index."""
    built = compiled(folder / "build" / version, library, VERSIONS[version], f"-Wl,-soname,{library}")
    name = f"dep-{version}-cp312-cp312-{PLATFORM}.whl"
    return make_wheel(folder, name, files={f"dep/{library}": built.read_bytes()})


def extension(
    folder: Path, *, library: str = "libdep.so", needs: Sequence[str] = (), requires: Sequence[str] = ()
) -> Path:
    """Write a wheel with an extension module that is linked against version 1.0 of the dependency, and `needs`."""
    build = folder.parent / "build-of-extension"
    for name, source in {library: FIRST, **dict.fromkeys(needs, "int nothing;")}.items():
        compiled(build, name, source, f"-Wl,-soname,{name}")
    linked = [f"-l:{name}" for name in (library, *needs)]
    built = compiled(build, "_ext.so", USER, f"-L{build}", "-Wl,--no-as-needed", *linked)
    return make_wheel(folder, EXTENSION, files={"foo/_ext.so": built.read_bytes()}, requires=requires)
