"""Machine: what a selection depends on, detected here or described for a machine elsewhere."""

from __future__ import annotations

import platform
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from packaging import tags as packaging_tags
from packaging.tags import Tag

from variant_publish.errors import UsageError
from variant_publish.formats.host_file import HostFile
from variant_publish.model.ordering import Supported
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.model.tags import modern_platform
from variant_publish.providers import amd, cpu, nvidia

NONE = "none"
"""The value of a variable that asks for something this machine has not: a driver, another architecture's level."""

X86_64_VERSION = "x86_64_version"
AARCH64_VERSION = "aarch64_version"
CUDA = "cuda"
SM_ARCH = "sm_arch"
GFX_ARCH = "gfx_arch"
ROCM = "rocm"

ORDERS: Mapping[str, Callable[[str], Any]] = {
    X86_64_VERSION: cpu.X86_64_LEVELS.index,
    AARCH64_VERSION: lambda value: cpu.known_aarch64_versions().index(value),
    CUDA: nvidia.parse_pair,
    SM_ARCH: nvidia.parse_pair,
}
"""The variables that have an order."""

_LIBC = re.compile(r"(manylinux|musllinux)_([0-9]+)_([0-9]+)_(.+)")
_MACOS = re.compile(r"macosx_([0-9]+)_([0-9]+)_(x86_64|arm64)")
_PLAIN = re.compile(r"win32|(win|linux|ios|android)_[a-z0-9_]+")
_PYTHON = re.compile(r"(?:cp)?3\.?([0-9]+)(\.[0-9]+)?(t?)")
_LEGACY = ("manylinux2014", "manylinux2010", "manylinux1")


@dataclass(frozen=True)
class Machine:
    """A machine: `values` of selector variables, compatible `tags` best first, and its Python version.

    `values` maps "x86_64_version", "aarch64_version" and "cuda" to what the machine has, or to "none"; "sm_arch",
    "gfx_arch", "rocm" and a project's own variables are there where they are known. `evaluated` are properties that a
    third-party provider gave, which no value tells. `allowed` and `denied` are the namespaces whose providers the user
    turned on (optional ones) or off. `abi` maps dependencies, as dist-info folders name them, to their versions.
    """

    values: Mapping[str, str]
    tags: tuple[Tag, ...]
    python_version: str
    evaluated: Supported = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    abi: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def detect(cls, environ: Mapping[str, str]) -> Self:
        """Look at this machine and at the running Python."""
        return cls(
            values=detected_values(environ),
            tags=tuple(packaging_tags.sys_tags()),
            python_version=platform.python_version().rstrip("+"),
        )

    @cached_property
    def supported(self) -> Supported:
        """Return the supported properties (PEP 850) by namespace; one that the machine has not is not there."""
        return {**self.evaluated, **supported_by(self.values)}

    @classmethod
    def stored(cls, file: HostFile) -> Self:
        """Return the machine that a file describes; raises UsageError for a Python or a platform that is none."""
        minor, threaded, version = _parse_python(file.python)
        tags = tuple(_tags(minor, threaded, compatible_platforms(file.platform)))
        # A machine of another architecture has no level of this one, which nobody could set.
        values = {name: value if value == NONE else parse_setting(name, value) for name, value in file.values.items()}
        return cls(values, tags, version, file.evaluated)

    def store(self) -> HostFile:
        """Return the machine as a file describes it; `stored` makes the same choices of it."""
        _, threaded, version = self._own_python
        evaluated = {name: {key: tuple(found) for key, found in item.items()} for name, item in self.evaluated.items()}
        properties = {name: {key: tuple(found) for key, found in item.items()} for name, item in self.supported.items()}
        platforms = [tag.platform for tag in self.tags if tag.platform != "any"]
        platform = next((name for name in platforms if _LIBC.fullmatch(modern_platform(name))), platforms[0])
        return HostFile(version + ("t" if threaded else ""), platform, dict(self.values), evaluated, properties)

    def described(self, settings: Mapping[str, str], python: str | None = None, platform: str | None = None) -> Self:
        """Return the machine with what is said of it in place of what was detected.

        `settings` are values of selector variables, `python` is like "3.12" (or "3.14t"), `platform` is a platform
        tag. On a platform of another architecture or system, what this machine has does not count: the lowest CPU of
        that architecture and no GPU are assumed. Raises UsageError for what is not understood.
        """
        values = dict(self.values)
        if platform is not None:
            values.update(_assumed(platform))
            if values.get(CUDA, NONE) == NONE:
                values.pop(SM_ARCH, None)
            if _is_elsewhere(platform):
                values.pop(GFX_ARCH, None)
                values.pop(ROCM, None)
        if settings.get(CUDA) == NONE:
            values.pop(SM_ARCH, None)
        values.update({name: parse_setting(name, value) for name, value in settings.items()})
        if python is None and platform is None:
            return replace(self, values=values)
        minor, threaded, version = _parse_python(python) if python is not None else self._own_python
        platforms = compatible_platforms(platform) if platform is not None else list(packaging_tags.platform_tags())
        return replace(self, values=values, tags=tuple(_tags(minor, threaded, platforms)), python_version=version)

    def requirement(self, text: str) -> TaggedRequirement:
        """Parse a requirement; markers that ask for selector variables are evaluated on this machine.

        Raises UsageError for a requirement that is none, and for a marker variable that this machine does not know.
        """
        return TaggedRequirement.parse(with_evaluated_markers(text, self.values, self.holds))

    @property
    def marker_environment(self) -> dict[str, str]:
        """Return the marker variables (PEP 508) that the Python of this machine tells."""
        version = self.python_version
        return {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}

    def holds(self, variable: str, operator: str, literal: str) -> bool:
        """Compare the value of a selector variable, as markers do; UsageError for what cannot be compared."""
        value = self.values[variable]
        simple = {
            "==": lambda: value == literal, "===": lambda: value == literal, "!=": lambda: value != literal,
            "in": lambda: value in literal, "not in": lambda: value not in literal,
            "contains": lambda: literal in value, "lacks": lambda: literal not in value,
        }  # fmt: skip
        if operator not in ("<", "<=", ">", ">="):
            if operator not in simple:
                raise UsageError(
                    f"{variable} cannot be compared by {operator!r}", hint="use ==, !=, in, not in, <, <=, > or >="
                )
            literal = literal if "in" in operator or operator == "lacks" else parse_setting(variable, literal)
            return simple[operator]()
        if variable not in ORDERS:
            raise UsageError(
                f"the values of {variable} have no order, so {operator!r} says nothing of them",
                hint="use ==, !=, in or not in",
            )
        bound = parse_setting(variable, literal)
        if NONE in (value, bound):
            return False  # what is not there is neither more nor less
        here, there = ORDERS[variable](value), ORDERS[variable](bound)
        return bool({"<": here < there, "<=": here <= there, ">": here > there, ">=": here >= there}[operator])

    @property
    def _own_python(self) -> tuple[int, bool, str]:
        # The tags tell whether the Python is free-threaded, so that one that was described before stays as described.
        threaded = any(re.fullmatch(r"cp3[0-9]+t", tag.abi) for tag in self.tags)
        return int(self.python_version.split(".")[1]), threaded, self.python_version


def detected_values(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the detected selector variables on this machine."""
    here = cpu.architecture()
    found = nvidia.Nvidia.detect(environ)
    values = {
        X86_64_VERSION: cpu.x86_64_level() if here == cpu.X86_64 else NONE,
        AARCH64_VERSION: cpu.aarch64_version() if here == cpu.AARCH64 else NONE,
        CUDA: _dotted(found.driver) if found.driver else NONE,
    }
    if found.capability:
        values[SM_ARCH] = _dotted(found.capability)
    radeon = amd.Amd.detect()
    more = {GFX_ARCH: radeon.architecture, ROCM: radeon.rocm}
    return {**values, **{name: value for name, value in more.items() if value is not None}}


def supported_by(values: Mapping[str, str]) -> Supported:
    """Return the supported properties (PEP 850) of a machine with these values of the detected variables."""
    result: dict[str, dict[str, tuple[str, ...]]] = {}
    if (level := values.get(X86_64_VERSION, NONE)) != NONE:
        result["x86_64"] = {"level": cpu.x86_64_values(level)}
    if (version := values.get(AARCH64_VERSION, NONE)) != NONE:
        result["aarch64"] = {"version": cpu.aarch64_values(version)}
    driver, capability = (nvidia.parse_pair(values.get(name, NONE)) for name in (CUDA, SM_ARCH))
    if features := nvidia.Nvidia(driver, capability).features():
        result["nvidia"] = features
    if features := amd.Amd(values.get(GFX_ARCH), values.get(ROCM)).features():
        result["amd"] = features
    return result


def parse_setting(name: str, value: str) -> str:
    """Return the value of a selector variable as it is compared; raise UsageError where it cannot be one."""
    known: Mapping[str, tuple[Callable[[str], str | None], Callable[[], str]]] = {
        X86_64_VERSION: (cpu.parse_x86_64_level, lambda: ", ".join(cpu.X86_64_LEVELS)),
        AARCH64_VERSION: (cpu.parse_aarch64_version, lambda: ", ".join(cpu.known_aarch64_versions())),
        CUDA: (_parse_version, lambda: "none, or the MAJOR.MINOR that the driver supports, for example 12.8"),
        SM_ARCH: (_parse_capability, lambda: "none, or a compute capability MAJOR.MINOR, for example 9.0"),
    }
    if name not in known:
        return value
    parse, values = known[name]
    parsed = parse(value)
    if parsed is None:
        raise UsageError(f"{name} cannot be {value!r}", hint=f"known values: {values()}")
    return parsed


def compatible_platforms(platform: str) -> list[str]:
    """Return the platform tags whose wheels install on the platform `platform`, best first.

    Raises UsageError for a tag that is no platform's.
    """
    modern = modern_platform(platform)
    if match := _LIBC.fullmatch(modern):
        family, major, minor, arch = match[1], int(match[2]), int(match[3]), match[4]
        oldest = 0 if family == "musllinux" else 5 if arch in ("x86_64", "i686") else 17
        found = []
        for number in range(minor, oldest - 1, -1):
            found.append(f"{family}_{major}_{number}_{arch}")
            found += [name for head in _LEGACY if modern_platform(name := f"{head}_{arch}") == found[-1]]
        return [*found, f"linux_{arch}"]
    if match := _MACOS.fullmatch(platform):
        return list(packaging_tags.mac_platforms((int(match[1]), int(match[2])), match[3]))
    if _PLAIN.fullmatch(platform):
        return [platform]
    raise UsageError(
        f"platform {platform!r} is not a platform tag",
        hint="write it like manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64",
    )


def platform_architecture(platform: str) -> str:
    """Return the architecture at the end of a platform tag, in the spelling of `cpu.architecture`."""
    for known in (cpu.X86_64, cpu.AARCH64, "amd64", "arm64"):
        if platform.endswith(f"_{known}"):
            return cpu.architecture(known)
    return platform.rpartition("_")[2]


def _assumed(platform: str) -> dict[str, str]:
    there, here = platform_architecture(platform), cpu.architecture()
    values: dict[str, str] = {}
    if there != here:
        values[X86_64_VERSION] = cpu.X86_64_LEVELS[0] if there == cpu.X86_64 else NONE
        values[AARCH64_VERSION] = cpu.AARCH64_BASELINE if there == cpu.AARCH64 else NONE
    if _is_elsewhere(platform):
        values[CUDA] = NONE
    return values


def _is_elsewhere(platform: str) -> bool:
    same_system = sysconfig.get_platform().partition("-")[0] == _system(platform)
    return not same_system or platform_architecture(platform) != cpu.architecture()


def _system(platform: str) -> str:
    head = platform.partition("_")[0]
    return "linux" if "linux" in head else {"macosx": "macosx", "win": "win", "win32": "win32"}.get(head, head)


def _tags(minor: int, threaded: bool, platforms: list[str]) -> Iterator[Tag]:
    interpreter = f"cp3{minor}"
    yield from packaging_tags.cpython_tags((3, minor), [f"{interpreter}{'t' if threaded else ''}"], platforms)
    yield from packaging_tags.compatible_tags((3, minor), interpreter, platforms)


def _parse_python(text: str) -> tuple[int, bool, str]:
    match = _PYTHON.fullmatch(text)
    if match is None:
        raise UsageError(f"Python {text!r} is not a version of Python 3", hint="write it like 3.12 or 3.14t")
    return int(match[1]), bool(match[3]), f"3.{match[1]}{match[2] or '.0'}"


def _parse_version(text: str) -> str | None:
    pair = nvidia.parse_pair(text)
    return NONE if text == NONE else _dotted(pair) if pair else None


def _parse_capability(text: str) -> str | None:
    pair = nvidia.parse_capability(text)
    return NONE if text == NONE else _dotted(pair) if pair else None


def _dotted(pair: nvidia.Pair) -> str:
    return f"{pair[0]}.{pair[1]}"
