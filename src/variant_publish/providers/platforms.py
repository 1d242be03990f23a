"""Platform tags: which ones a platform takes, its architecture and system, and whether that is this machine's."""

from __future__ import annotations

import platform as running
import re
import sysconfig

from variant_publish.errors import UsageError
from variant_publish.model.tags import modern_platform

X86_64 = "x86_64"
AARCH64 = "aarch64"

_ALIASES = {"amd64": X86_64, "x64": X86_64, "arm64": AARCH64}
_LIBC = r"(manylinux|musllinux)_([0-9]{1,3})_([0-9]{1,3})_(.+)"
_MACOS = r"macosx_([0-9]{1,2})_([0-9]{1,2})_(x86_64|arm64)"
_PLAIN = r"win32|(win|linux|ios|android)_[a-z0-9_]+"
_LEGACY = ("manylinux2014", "manylinux2010", "manylinux1")


def architecture(name: str | None = None) -> str:
    """Return the architecture in one spelling ("x86_64", "aarch64", ...): of a name, by default of this machine."""
    lower = (running.machine() if name is None else name).lower()
    return _ALIASES.get(lower, lower)


def platform_architecture(platform: str) -> str:
    """Return the architecture at the end of a platform tag, in the spelling of `architecture`."""
    for known in (X86_64, AARCH64, *_ALIASES):
        if platform.endswith(f"_{known}"):
            return architecture(known)
    return platform.rpartition("_")[2]


def compatible_platforms(platform: str) -> list[str]:
    """Return the platform tags whose wheels install on the platform `platform`, best first.

    Raises UsageError for a tag that is no platform's.
    """
    modern = modern_platform(platform)
    if match := re.fullmatch(_LIBC, modern):
        family, major, minor, arch = match[1], int(match[2]), int(match[3]), match[4]
        oldest = 0 if family == "musllinux" else 5 if arch in ("x86_64", "i686") else 17
        found = []
        for number in range(minor, oldest - 1, -1):
            found.append(f"{family}_{major}_{number}_{arch}")
            found += [name for head in _LEGACY if modern_platform(name := f"{head}_{arch}") == found[-1]]
        return [*found, f"linux_{arch}"]
    if match := re.fullmatch(_MACOS, platform):
        from packaging.tags import mac_platforms

        return list(mac_platforms((int(match[1]), int(match[2])), match[3]))
    if re.fullmatch(_PLAIN, platform):
        return [platform]
    raise UsageError(
        f"platform {platform!r} is not a platform tag",
        hint="write it like manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64",
    )


def has_libc(platform: str) -> bool:
    """Return whether a platform tag names a version of a libc."""
    return re.fullmatch(_LIBC, modern_platform(platform)) is not None


def is_elsewhere(platform: str) -> bool:
    """Return whether a platform is of another architecture or system than this machine."""
    same_system = sysconfig.get_platform().partition("-")[0] == _system(platform)
    return not same_system or platform_architecture(platform) != architecture()


def _system(platform: str) -> str:
    head = platform.partition("_")[0]
    return "linux" if "linux" in head else {"macosx": "macosx", "win": "win", "win32": "win32"}.get(head, head)
