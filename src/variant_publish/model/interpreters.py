"""Which interpreters there are on which platforms: where none is, no wheel is missing."""

from __future__ import annotations

import re

_ALTERNATIVE = re.compile(r"(?:pp3|graalpy3?)([0-9]+)?")
_CPYTHON = re.compile(r"cp3([0-9]+)")
_ONLY_CPYTHON = (
    "musllinux", "i686", "s390x", "ppc64", "armv7l", "riscv64", "loongarch64", "win32", "win_arm64", "ios_", "android_",
    "emscripten", "pyodide",
)  # fmt: skip
_FIRST_CPYTHON = {
    "win_arm64": 11, "riscv64": 9, "loongarch64": 11, "ios_": 13, "android_": 13, "emscripten": 12, "pyodide": 12,
    "arm64": 8, "universal2": 8,
}  # fmt: skip
"""What a platform tag contains, and the first minor version of CPython 3 that is distributed for it."""


def interpreter_exists(python: str, platform: str) -> bool:
    """Return whether an interpreter like "cp312-cp312" is distributed for a platform; True for unknown ones."""
    interpreter = python.partition("-")[0]
    if _ALTERNATIVE.match(interpreter):
        return not any(word in platform for word in _ONLY_CPYTHON)
    match = _CPYTHON.fullmatch(interpreter)
    first = next((minor for word, minor in _FIRST_CPYTHON.items() if word in platform), 0)
    return match is None or int(match[1]) >= first
