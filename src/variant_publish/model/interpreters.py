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
    "win_arm64": 11, "riscv64": 9, "loongarch64": 11, "ios_": 13, "android_": 13, "arm64": 8, "universal2": 8,
}  # fmt: skip
"""What a platform tag contains, and the first minor version of CPython 3 that is distributed for it."""

_EMSCRIPTEN = {"pyodide_2024": 12, "pyemscripten_2024": 12, "pyemscripten_2025": 13, "pyemscripten_2026": 14}
"""Each ABI of Emscripten is that of one CPython."""

_MACOS_X86 = re.compile(r"macosx_10_([0-9]+)_(?:x86_64|universal2|intel)")
_FIRST_MACOS = {14: 15, 12: 13}
"""CPython 3.14 needs macOS 10.15 and later, 3.12 needs 10.13: nobody has it on an older one."""


def interpreter_exists(python: str, platform: str) -> bool:
    """Return whether an interpreter like "cp312-cp312" is distributed for a platform; True for unknown ones."""
    interpreter = python.partition("-")[0]
    if _ALTERNATIVE.match(interpreter):
        return not any(word in platform for word in _ONLY_CPYTHON)
    match = _CPYTHON.fullmatch(interpreter)
    minor = int(match[1]) if match else 0
    if match and ("emscripten" in platform or "pyodide" in platform):
        return next((minor == only for abi, only in _EMSCRIPTEN.items() if platform.startswith(abi)), True)
    if match and (macos := _MACOS_X86.fullmatch(platform)):
        return int(macos[1]) >= next((least for since, least in _FIRST_MACOS.items() if minor >= since), 0)
    first = next((least for word, least in _FIRST_CPYTHON.items() if word in platform), 0)
    return match is None or minor >= first
