"""The NVIDIA driver: which CUDA it speaks, which devices it drives, and the properties that follow from both.

The properties are those of nvidia-variant-provider 0.0.1, which installers of today carry in themselves.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from variant_publish.errors import UsageError

FORCE_DRIVER = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
FORCE_SM_ARCH = "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"

LOWER_BOUND = "cuda_version_lower_bound"
UPPER_BOUND = "cuda_version_upper_bound"
SM_ARCH = "sm_arch"

Pair = tuple[int, int]
"""MAJOR.MINOR of a CUDA version or of a compute capability."""

_FIRST_MAJOR, _LAST_MAJOR, _LAST_MINOR = 11, 15, 20
_LOWEST_CAPABILITY = (5, 0)
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_PAIR = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:\.[0-9.]+)?")


@dataclass(frozen=True, slots=True)
class Nvidia:
    """What an NVIDIA driver says: its CUDA version, and the capability of the most capable device.

    None stands for what is not there; without a driver nothing is.
    """

    driver: Pair | None = None
    capability: Pair | None = None

    @classmethod
    def detect(cls, environ: Mapping[str, str]) -> Self:
        """Ask the driver; the two variables that the provider honours in `environ` override what it says.

        Raises UsageError where such a variable is no version. Nothing else raises: a driver that does not answer is
        none.
        """
        driver, capability = (
            _forced(environ, FORCE_DRIVER, parse_pair),
            _forced(environ, FORCE_SM_ARCH, parse_capability),
        )
        if driver is None or capability is None:
            found = _ask_driver()
            # Like the provider: a driver outside the range that it knows is none, unless it was forced.
            if driver is None and found.driver is not None and _in_range(found.driver):
                driver = found.driver
            capability = capability or found.capability
        return cls(driver, capability)

    def features(self) -> dict[str, tuple[str, ...]]:
        """Return the supported values of each feature of the namespace `nvidia`, best first; none without a driver."""
        if self.driver is None:
            return {}
        result = {LOWER_BOUND: lower_bounds(self.driver), UPPER_BOUND: upper_bounds(self.driver)}
        if self.capability is not None and self.capability >= _LOWEST_CAPABILITY:
            result[SM_ARCH] = sm_values(self.capability)
        return {feature: values for feature, values in result.items() if values}


def lower_bounds(driver: Pair) -> tuple[str, ...]:
    """Return the inclusive lower bounds that the driver meets, best first: 12.8, ..., 12.0, 12, 11.20, ..., 11."""
    major, minor = driver
    return tuple(
        value
        for number in range(major, _FIRST_MAJOR - 1, -1)
        for value in _versions(number, minor if number == major else _LAST_MINOR)
    )


def upper_bounds(driver: Pair) -> tuple[str, ...]:
    """Return exclusive upper bounds that the driver stays under, in the provider's order: 15.20, ..., 13, ..., 12.9.

    The provider puts the highest first, although the lowest would be the closest.
    """
    major, minor = driver
    larger = (value for number in range(_LAST_MAJOR, major, -1) for value in _versions(number, _LAST_MINOR))
    return (*larger, *(f"{major}.{number}" for number in range(_LAST_MINOR, minor, -1)))


def sm_values(capability: Pair) -> tuple[str, ...]:
    """Return the values of `sm_arch` that a device runs, best first: 90_real, 90_virtual for 9.0."""
    major, minor = capability
    return (*(f"{major}{number}_real" for number in range(minor, -1, -1)), f"{major}0_virtual")


def known_versions() -> tuple[str, ...]:
    """Return the CUDA versions that the provider knows, lowest first: 11.0, ..., 15.20."""
    return tuple(
        f"{major}.{minor}" for major in range(_FIRST_MAJOR, _LAST_MAJOR + 1) for minor in range(_LAST_MINOR + 1)
    )


def known_capabilities() -> tuple[str, ...]:
    """Return the compute capabilities that devices can have, lowest first, with room for years to come."""
    return tuple(f"{major}.{minor}" for major in range(1, 30) for minor in range(10))


def parse_pair(text: str) -> Pair | None:
    """Read "12.8", "12" or "12.8.1" as MAJOR.MINOR; None for anything else."""
    match = _PAIR.fullmatch(text.strip())
    return (int(match[1]), int(match[2] or 0)) if match else None


def parse_capability(text: str) -> Pair | None:
    """Read "9.0" as a compute capability; None for anything else, "90" too."""
    return parse_pair(text) if text.count(".") == 1 else None


def _versions(major: int, minor: int) -> list[str]:
    return [*(f"{major}.{number}" for number in range(minor, -1, -1)), str(major)]


def _in_range(driver: Pair) -> bool:
    return (_FIRST_MAJOR, 0) <= driver <= (_LAST_MAJOR, _LAST_MINOR)


def _forced(environ: Mapping[str, str], name: str, parse: Callable[[str], Pair | None]) -> Pair | None:
    text = environ.get(name)
    if not text:
        return None
    pair = parse(text)
    if pair is None:
        raise UsageError(f"{name} is {text!r}, which is no version", hint="set it to MAJOR.MINOR, as in 12.8 or 9.0")
    return pair


def _ask_driver() -> Nvidia:
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if library.cuInit(0) != 0:
            return Nvidia()  # the library is there and no device is: a container image without its GPU
        version, count = ctypes.c_int(), ctypes.c_int()
        if library.cuDriverGetVersion(ctypes.byref(version)) != 0 or version.value <= 0:
            return Nvidia()
        driver = (version.value // 1000, version.value % 1000 // 10)
        if library.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return Nvidia(driver)
        return Nvidia(driver, max((_capability(library, index) for index in range(count.value)), default=None))
    except (OSError, AttributeError):  # no such library, or one that is not the driver's
        return Nvidia()


def _capability(library: ctypes.CDLL, device: int) -> Pair:
    major, minor = ctypes.c_int(), ctypes.c_int()
    for value, attribute in ((major, _CAPABILITY_MAJOR), (minor, _CAPABILITY_MINOR)):
        library.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
    return (major.value, minor.value)
