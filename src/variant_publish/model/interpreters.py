"""Which interpreters there are on which platforms: where none is, no wheel is missing."""

from __future__ import annotations

import re

_ALTERNATIVE = re.compile(r"(?:pp|graalpy).*")
_ENDED = re.compile(r"cp3[0-9]-(?:cp3[0-9]m?|none)|pp3([0-9]|10)-.*|pp2.*|cp2.*")
"""CPython before 3.10 and PyPy before 3.11 get no releases any more."""

_CPYTHON = re.compile(r"cp3([0-9]+)")
_ONLY_CPYTHON = (
    "musllinux", "i686", "s390x", "ppc64", "armv7l", "riscv64", "loongarch64", "win32", "win_arm64", "ios_", "android_",
    "emscripten", "pyodide",
)  # fmt: skip
_FIRST_CPYTHON = {
    "win_arm64": 11, "riscv64": 9, "loongarch64": 11, "ios_": 13, "android_": 13, "arm64": 8, "universal2": 8,
}  # fmt: skip
"""What a platform tag contains, and the first minor version of CPython 3 that is distributed for it."""

_EMSCRIPTEN = {
    "pyodide_2024": 12, "pyemscripten_2024": 12, "pyemscripten_2025": 13, "pyemscripten_2026_0": 14,
    "pyemscripten_2026_5": 15,
}  # fmt: skip
"""Each ABI of Emscripten is that of one CPython."""

_MACOS_X86 = re.compile(r"macosx_10_([0-9]+)_(?:x86_64|universal2|intel)")
_FIRST_MACOS = {14: 15, 12: 13}
_FIRST_MACOS_OF_OTHERS = 15
"""CPython 3.14 needs macOS 10.15 and later, as PyPy and GraalPy do, 3.12 needs 10.13: nobody has it on an older one."""

_NEVER_THREADED = ("ios_", "android_", "emscripten", "pyodide")
"""Where no free-threaded CPython is distributed."""


def interpreter_exists(python: str, platform: str) -> bool:
    """Return whether an interpreter like "cp312-cp312" is distributed for a platform; True for unknown ones."""
    interpreter, _, abi = python.partition("-")
    macos = _MACOS_X86.fullmatch(platform)
    if _ALTERNATIVE.fullmatch(interpreter):
        too_old = macos is not None and int(macos[1]) < _FIRST_MACOS_OF_OTHERS
        return not too_old and not any(word in platform for word in _ONLY_CPYTHON)
    match = _CPYTHON.fullmatch(interpreter)
    if match is None:
        return True
    minor = int(match[1])
    if abi.endswith("t") and any(word in platform for word in _NEVER_THREADED):
        return False
    if "emscripten" in platform or "pyodide" in platform:
        return next((minor == only for abi, only in _EMSCRIPTEN.items() if platform.startswith(abi)), True)
    if macos:
        return int(macos[1]) >= next((least for since, least in _FIRST_MACOS.items() if minor >= since), 0)
    return minor >= next((least for word, least in _FIRST_CPYTHON.items() if word in platform), 0)


def gets_releases(python: str) -> bool:
    """Return whether there are new releases of an interpreter like "cp312-cp312" (state of November 2026)."""
    return _ENDED.fullmatch(python) is None


def is_tried_only(python: str) -> bool:
    """Return whether projects build for an interpreter where it happens to work: GraalPy."""
    return python.startswith("graalpy")


def is_for(interpreter: str, abi: str, python: str) -> bool:
    """Return whether tags are those of an interpreter, of another ABI of it, or of one where no ABI is named."""
    other, _, other_abi = python.partition("-")
    return interpreter == other and (abi == other_abi or "none" in (abi, other_abi) or interpreter_of(python) == other)


def interpreter_of(python: str) -> str:
    """Return what is one interpreter to its users: "pp311" for PyPy 7.3 and 8.0, which have ABIs of their own."""
    interpreter = python.partition("-")[0]
    return interpreter if _ALTERNATIVE.fullmatch(interpreter) else python
