"""Which machines two compatibility tags have in common, as a tag of its own (PEP 425, 600, 656)."""

from __future__ import annotations

import math
import re
from functools import cache

import msgspec
from packaging.tags import Tag

from variant_publish.model.tags import modern_platform

_CPYTHON = re.compile(r"cp3([0-9]+)")
_PYTHON = re.compile(r"py3([0-9]*)")
_OTHER = re.compile(r"[a-z]+3_?([0-9]+)")
LAST_MINOR = 60
_STABLE = {"abi3": False, "abi3t": True}
_LIBC = re.compile(r"(manylinux|musllinux)_([0-9]+)_([0-9]+)_(.+)")
_MACOS = re.compile(r"macosx_([0-9]+)_([0-9]+)_(.+)")
_FAT = {"universal2": {"x86_64", "arm64"}, "intel": {"x86_64", "i386"}}


def meet(one: Tag, other: Tag) -> Tag | None:
    """Return the tag of the machines that support both tags; None where there is none.

    It is `one` itself where `other` covers it: where every machine that supports `one` supports `other`, too.
    """
    if one == other:
        return one
    python = _python_meet((one.interpreter, one.abi), (other.interpreter, other.abi))
    platform = _platform_meet(one.platform, other.platform)
    return None if python is None or platform is None else Tag(*python, platform)


@cache
def minors_of(tag: Tag) -> frozenset[int]:
    """Return the minor versions of Python 3 that support a tag, as far as there can be any; all for an unknown tag."""
    found = _pythons(tag.interpreter, tag.abi) or _Pythons(0, math.inf)
    return frozenset(range(found.low, int(min(found.high, LAST_MINOR)) + 1))


@cache
def family(platform: str) -> str:
    """Return what platforms have in common that can meet; `any`, of its own kind, meets every one."""
    modern = modern_platform(platform)
    libc = _LIBC.fullmatch(modern)
    return libc[4] if libc else "macosx" if _MACOS.fullmatch(modern) else modern.removeprefix("linux_")


class _Pythons(msgspec.Struct, frozen=True):
    """A set of Pythons: minor versions from `low` to `high`; `threaded` and `kind` are None where any will do."""

    low: int
    high: float
    kind: str | None = None
    threaded: bool | None = None

    def both(self, other: _Pythons) -> _Pythons | None:
        low, high = max(self.low, other.low), min(self.high, other.high)
        kinds, threads = {self.kind, other.kind} - {None}, {self.threaded, other.threaded} - {None}
        if low > high or len(kinds) > 1 or len(threads) > 1:
            return None
        return _Pythons(low, high, next(iter(kinds), None), next(iter(threads), None))

    def tag(self) -> tuple[str, str] | None:
        """Return interpreter and ABI as CPython and every Python write them."""
        if self.kind is None:
            return (f"py3{self.low}", "none") if self.high == math.inf else None
        if self.kind != "cp":
            return None
        if self.high == math.inf:
            return (f"cp3{self.low}", "abi3t" if self.threaded else "abi3")
        abi = "none" if self.threaded is None else f"cp3{self.low}{'t' if self.threaded else ''}"
        return (f"cp3{self.low}", abi)


@cache
def _python_meet(one: tuple[str, str], other: tuple[str, str]) -> tuple[str, str] | None:
    if one == other:
        return one
    mine, theirs = _pythons(*one), _pythons(*other)
    if mine is None or theirs is None or (found := mine.both(theirs)) is None:
        return None
    return one if found == mine else other if found == theirs else found.tag()


def _pythons(interpreter: str, abi: str) -> _Pythons | None:
    """Return the Pythons that support a tag; None for one that is not understood, which nothing else meets."""
    if (match := _PYTHON.fullmatch(interpreter)) and abi == "none":
        return _Pythons(int(match[1] or 0), math.inf)
    if match := _CPYTHON.fullmatch(interpreter):
        minor = int(match[1])
        if abi in _STABLE:
            return _Pythons(minor, math.inf, "cp", _STABLE[abi])
        if abi == "none":
            return _Pythons(minor, minor, "cp")
        return _Pythons(minor, minor, "cp", abi.endswith("t")) if abi.rstrip("t") == interpreter else None
    if match := _OTHER.fullmatch(interpreter):
        return _Pythons(int(match[1]), int(match[1]), f"{interpreter}-{abi}")
    return None


@cache
def _platform_meet(one: str, other: str) -> str | None:
    if one == other or other == "any":
        return one
    if one == "any":
        return other
    mine, theirs = modern_platform(one), modern_platform(other)
    if mine == theirs:
        return one
    for name, wide, narrow in ((one, theirs, mine), (other, mine, theirs)):
        if wide.startswith("linux_") and (libc := _LIBC.fullmatch(narrow)) and wide == f"linux_{libc[4]}":
            return name
    here, there = _LIBC.fullmatch(mine), _LIBC.fullmatch(theirs)
    if here and there:
        if (here[1], here[4]) != (there[1], there[4]):
            return None
        return one if (int(here[2]), int(here[3])) >= (int(there[2]), int(there[3])) else other
    return _macos_meet(one, other)


def _macos_meet(one: str, other: str) -> str | None:
    here, there = _MACOS.fullmatch(one), _MACOS.fullmatch(other)
    if not here or not there:
        return None
    version = max((int(here[1]), int(here[2])), (int(there[1]), int(there[2])))
    archs = _FAT.get(here[3], {here[3]}) & _FAT.get(there[3], {there[3]})
    if here[3] == there[3]:
        arch = here[3]
    elif len(archs) == 1:
        (arch,) = archs
    else:
        return None
    return f"macosx_{version[0]}_{version[1]}_{arch}"
