"""Rules 4xx on extension modules: which Python, stable ABI, NumPy and C++ library they were compiled for."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from packaging.version import Version

from variant_publish.archive.wheel import DescribedWheel, Wheel, WholeWheel
from variant_publish.binary.scan import Binary, Scan
from variant_publish.check.engine.binaries import BinaryRule, libraries
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.requires import environment_of, parsed
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, WheelRule, some

_NUMPY = "numpy"
_FIRST_NUMPY = {minor: Version(text) for minor, text in
                ((9, "1.19"), (10, "1.21"), (11, "1.23"), (12, "1.26"), (13, "2.1"), (14, "2.3"))}  # fmt: skip
"""The first NumPy that has wheels for a CPython: whoever has that Python has no older one."""

_SUFFIX = re.compile(r"\.(?:cpython-([0-9]+t?)|cp([0-9]+t?))-[A-Za-z0-9_-]+\.(?:so|pyd|dylib)$")
_PYTHON_DLL = re.compile(r"python3[0-9]+t?\.dll")
_CXX = re.compile(r"libstdc\+\+\.so")
_OLD_STRING = re.compile(r"_ZNK?S(?:s|bIw)")
_GLIBCXX = re.compile(r"GLIBCXX_([0-9.]+)")


class BuiltAgainstPin(BinaryRule):
    """Prove that extension modules run with the NumPy that the wheel pins or at least requires.

    Headers of NumPy 2 leave the oldest NumPy that the module runs with in it; importing it with an older one is an
    error. Headers of NumPy 1 leave nothing: that is unknown where NumPy is pinned. Where only some modules need a newer
    NumPy, the package may do without them: unknown too.
    """

    id = "VP405"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels that require no particular NumPy."""
        return None if _oldest_numpy(wheel) else "the wheel requires no particular NumPy"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare the oldest NumPy of each module with the oldest that may be installed."""
        required = _oldest_numpy(wheel)
        users = [binary for binary in scan.binaries if binary.uses_numpy]
        if not users:
            yield Outcome.skipped("no extension module uses NumPy's C API")
        pinned = any(pin.project == _NUMPY for pin in wheel.pins)
        silent = [binary.path for binary in users if binary.numpy is None]
        if silent and pinned:
            yield Outcome.unknown(
                f"{some(silent)} has no trace of the NumPy that it was compiled with (headers of NumPy 1)",
                "compile with the headers of NumPy 2, which run with NumPy 1.x too",
            )
        newer = [
            binary
            for binary in users
            if binary.numpy and required and Version(f"{binary.numpy[0]}.{binary.numpy[1]}") > required
        ]
        if not newer:
            return
        oldest = max(binary.numpy for binary in newer if binary.numpy)
        verb = "runs" if len(newer) == 1 else "run"
        message = (
            f"{some(binary.path for binary in newer)} {verb} with NumPy {oldest[0]}.{oldest[1]} or later,"
            f" and the wheel allows {required}"
        )
        hint = "raise the requirement, or compile with an older NPY_TARGET_VERSION"
        if len(newer) == len(users):
            yield message, hint
        else:  # the package may import it only where NumPy is new enough
            doubt = f"{message}; {len(users) - len(newer)} other modules run with it"
            yield Outcome.unknown(doubt, f"{hint}; nothing to do where the module is optional")


class StableAbi(BinaryRule):
    """Prove that a wheel tagged abi3 uses only symbols that the stable ABI had in the Python of its tag.

    The tag promises every later Python; a symbol from outside the stable ABI breaks the promise with the next release,
    a newer one with the oldest Python. The list of symbols is abi3info's.
    """

    id = "VP406"
    hint = "define Py_LIMITED_API as the oldest Python of the tag, or tag the wheel for one Python"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out every other wheel."""
        return None if "abi3" in wheel.name.plain.abi else "the wheel is not tagged abi3"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Look at what each extension module wants from Python."""
        oldest = min((int(tag[3:]) for tag in wheel.name.plain.python if re.fullmatch(r"cp3[0-9]+", tag)), default=2)
        for binary in libraries(scan):
            if not binary.image.modules:
                continue
            wanted = [name for name in binary.image.imports if name.startswith(("Py", "_Py"))]
            foreign = sorted(name for name in wanted if name not in _stable_symbols())
            newer = sorted(name for name in wanted if _stable_symbols().get(name, 0) > oldest)
            for names, what in (
                (foreign, "is not in the stable ABI"),
                (newer, f"came later than Python 3.{oldest}"),
                ([name for name in binary.image.needed if _PYTHON_DLL.fullmatch(name)], "is the DLL of one Python"),
            ):
                if names:
                    yield f"{binary.path} uses {some(names)}, which {what}"


class ExtensionSuffixes(WheelRule[DescribedWheel]):
    """Prove that extension modules are for the Python of the tag.

    `foo.cpython-311-x86_64-linux-gnu.so` in a cp312 wheel is never found by an import. Modules without a version in
    their name, and those that lie there once for each Python, are fine.
    """

    id = "VP407"
    hint = "build the wheel again in an empty build folder: another Python's file was left in it"

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave out wheels without versioned modules."""
        return None if _versioned(wheel) else "no extension module has a version in its name"

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the versions of each module with the tags: one of several is enough."""
        wanted = set(_pythons(wheel))
        for module, versions in sorted(_versioned(wheel).items() if wanted else ()):
            if not versions & wanted:
                yield f"{module} is there for Python {some(sorted(versions))}, the wheel is for {some(sorted(wanted))}"


class _OverVariants(ReleaseRule[WholeWheel]):
    """One thing against all variants of a Python and platform."""

    what: ClassVar[str]

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield an outcome for each place, and thing there, that several variants have."""
        variants = context.release.variants
        if len(variants) < 2:
            yield Outcome.skipped("the release has one variant")
            return
        places: dict[tuple[str, str], dict[str, Any]] = {}
        for wheel in self.wheels(context):
            tags = wheel.name.plain.python, wheel.name.plain.abi, wheel.name.platform
            for thing, value in self.values(context.scan(wheel)):
                place = "-".join(".".join(part) for part in tags), thing
                places.setdefault(place, {})[context.release.variant_of(wheel.name)] = value
        shared = {place: found for place, found in places.items() if len(found) > 1}
        if not shared:
            yield Outcome.skipped(f"no two variants of one platform {self.what}")
        for place, found in shared.items():
            yield self.compared(*place, {variant: found[variant] for variant in variants if variant in found})

    @abstractmethod
    def values(self, scan: Scan) -> Iterator[tuple[str, Any]]:
        """Return what a wheel has, by a name that other wheels have too."""

    @abstractmethod
    def compared(self, tag: str, thing: str, found: Mapping[str, Any]) -> Outcome:
        """Compare the values of two variants or more."""


class SameCxxLibrary(_OverVariants):
    """Report where the wheels of one platform need different versions of the C++ standard library.

    It is allowed, and it suggests builds in different images: one of them may not load where the
    other does. VP409 compares the ABI of strings.
    """

    id = "VP408"
    severity = Severity.INFO
    hint = "build all of them in one image; nothing to do if it is on purpose"
    what = "need the C++ library"

    def values(self, scan: Scan) -> Iterator[tuple[str, Version]]:
        """Return the newest version of the library that a wheel needs."""
        if newest := _newest_cxx(scan.binaries):
            yield "", newest

    def compared(self, tag: str, thing: str, found: Mapping[str, Version]) -> Outcome:
        """Compare the versions."""
        versions = ", ".join(f"{variant} {version}" for variant, version in found.items())
        text = f"the variants of {tag} need different versions of GLIBCXX: {versions}"
        return self.judged(len(set(found.values())) > 1, text)


class SameCxxAbi(_OverVariants):
    """Prove that the same library of all variants was compiled for the same std::string.

    Symbols with `__cxx11` in their name are of the ABI that GCC has had since version 5, `std::string` as `Ss` of the
    one before. An extension that was compiled against one variant does not load with one of the other ABI. A library
    that uses neither proves nothing.
    """

    id = "VP409"
    severity = Severity.WARNING
    hint = "compile all variants with the same _GLIBCXX_USE_CXX11_ABI"
    what = "have the same C++ library"

    def values(self, scan: Scan) -> Iterator[tuple[str, bool | None]]:
        """Return the ABI of each library of the project's own."""
        for binary in libraries(scan):
            if not binary.is_vendored and any(map(_CXX.match, binary.image.needed)):
                yield binary.path, _is_cxx11(binary)

    def compared(self, tag: str, thing: str, found: Mapping[str, bool | None]) -> Outcome:
        """Compare the ABIs of one library; one that shows none is unknown beside others."""
        new = [variant for variant, is_new in found.items() if is_new]
        old = [variant for variant, is_new in found.items() if is_new is False]
        silent = [variant for variant, is_new in found.items() if is_new is None]
        if silent and bool(new) is not bool(old):
            return Outcome.unknown(
                f"{thing} shows no C++11 ABI in {some(silent)}, which {some(new + old)} does",
                "nothing to do if the library has no std::string at its borders",
            )
        return self.judged(new and old, f"{thing} has the new C++11 ABI in {some(new)}, the old one in {some(old)}")


def _is_cxx11(binary: Binary) -> bool | None:
    """Return which std::string a library has at its borders: the new one, the old one (False), or none that shows."""
    if binary.image.cxx11:
        return True
    return False if any(map(_OLD_STRING.match, binary.image.imports | binary.image.weak)) else None


def _versioned(wheel: DescribedWheel) -> dict[str, set[str]]:
    """Return the modules that have a Python version in their names, and which ones."""
    found: dict[str, set[str]] = {}
    for path in wheel.members:
        if match := _SUFFIX.search(path):
            found.setdefault(path[: match.start()], set()).add(match[1] or match[2])
    return found


def _oldest_numpy(wheel: DescribedWheel) -> Version | None:
    """Return the oldest NumPy that users of the wheel can have, where its pins or requirements have a lower bound."""
    bounds = []
    environment = environment_of(wheel.name.plain.python, wheel.name.platform[0])
    for requirement in (*(pin.plain for pin in wheel.pins), *parsed(wheel.metadata.requires_dist)):
        if requirement.name.lower() != _NUMPY or "extra" in str(requirement.marker or ""):
            continue
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        bounds += [
            Version(one.version.removesuffix(".*"))
            for one in requirement.specifier
            if one.operator in ("==", ">=", "~=")
        ]
    minors = [int(tag[3:]) for tag in wheel.name.plain.python if re.fullmatch(r"cp3[0-9]+", tag)]
    first = [numpy for minor, numpy in _FIRST_NUMPY.items() if minors and minor <= min(minors)]
    return max(bounds + first) if bounds else None


def _pythons(wheel: Wheel) -> Iterable[str]:
    """Return the versions of the tag as suffixes have them; none for a wheel that is for more than it names."""
    for python in wheel.name.plain.python:
        for abi in wheel.name.plain.abi:
            if abi.startswith("cp") and python.startswith("cp"):
                yield abi.removeprefix("cp").removesuffix("m")


def _newest_cxx(binaries: Iterable[Binary]) -> Version | None:
    found = [
        Version(match[1])
        for binary in binaries
        if not binary.is_vendored
        for versions in binary.image.versions.values()
        for version in versions
        if (match := _GLIBCXX.fullmatch(version))
    ]
    return max(found, default=None)


@cache
def _stable_symbols() -> Mapping[str, int]:
    """Return the symbols of the stable ABI and the minor version of Python 3 since which they are in it."""
    from abi3info import DATAS, FUNCTIONS

    return {symbol.name: entry.added.minor for table in (FUNCTIONS, DATAS) for symbol, entry in table.items()}
