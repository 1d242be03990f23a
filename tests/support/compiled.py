"""Libraries that a real compiler makes, for each level of x86-64."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

LEVELS = (1, 2, 3, 4)
FEW, MANY = 9, 150

_KINDS = (
    (
        "void f{n}(const double *a, double *b, int n) {{ for (int k = 0; k < n; k++)"
        " b[k] = __builtin_floor(a[k]) * a[k] + {n}.5; }}"
    ),
    "void f{n}(const int *a, int *b, int n) {{ for (int k = 0; k < n; k++) b[k] = a[k] > {n} ? a[k] * 3 : b[k]; }}",
    (
        "double f{n}(const double *a, int n) {{ double s = {n}; for (int k = 0; k < n; k++)"
        " if (a[k] > s) s = a[k] * s + a[n - k]; return s; }}"
    ),
)


@cache
def library(level: int, functions: int = MANY, compiler: str = "gcc") -> bytes:
    """Return a shared library compiled for a level; the test is skipped without the compiler."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler}, which builds the library, is not installed")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "foo.c"), Path(folder, "foo.out")
        source.write_text("\n".join(_KINDS[n % 3].format(n=n) for n in range(functions)), "utf-8")
        march = "x86-64" if level == 1 else f"x86-64-v{level}"
        command = [compiler, "-O3", f"-march={march}", "-shared", "-fPIC", "-o", str(target), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        return target.read_bytes()
