"""NVIDIA: which CUDA the driver supports and which devices it has, and the properties that follow from both.

The properties are those of nvidia-variant-provider 0.0.1, which installers of today carry in themselves.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from variant_publish.errors import UsageError
from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Features, Values, Variable, VariantProvider

if TYPE_CHECKING:
    from variant_publish.binary.content import Buffer, Found
    from variant_publish.binary.evidence import Evidence
    from variant_publish.binary.image import Image

FORCE_DRIVER = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
FORCE_SM_ARCH = "NV_VARIANT_PROVIDER_FORCE_SM_ARCH"

CUDA = "cuda"
SM_ARCH = "sm_arch"
LOWER_BOUND = "cuda_version_lower_bound"
UPPER_BOUND = "cuda_version_upper_bound"

Pair = tuple[int, int]
"""MAJOR.MINOR of a CUDA version or of a compute capability."""

_FIRST_MAJOR, _LAST_MAJOR, _LAST_MINOR = 11, 15, 20
_LOWEST_CAPABILITY = (5, 0)
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_PAIR = r"([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:\.[0-9.]{1,9})?"
_CUDA_WORD = r"cu(?:da)?_?(1[0-9])(?:[._]?([0-9]{1,2})|x)?"
_CODE_WORD = r"(sm|compute)_?([0-9]{2,3}[af]?)"
_CODE = r"([0-9]{2,3})([af]?)_(real|virtual)"


def lower_bounds(driver: Pair) -> tuple[str, ...]:
    """Return the inclusive lower bounds that the driver meets, best first: 12.8, ..., 12.0, 12, 11.20, ..., 11."""
    major, minor = driver
    return tuple(
        value
        for number in range(min(major, _LAST_MAJOR), _FIRST_MAJOR - 1, -1)
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


def listed_versions() -> tuple[str, ...]:
    """Return the CUDA versions of a selector file: 11.0, ..., 14.9.

    A table lists values, not ranges, so it must end somewhere; a driver beyond it is an error, not a guess.
    """
    return tuple(f"{major}.{minor}" for major in range(_FIRST_MAJOR, 15) for minor in range(10))


def known_capabilities() -> tuple[str, ...]:
    """Return the compute capabilities that devices can have, lowest first, with room for years to come."""
    return tuple(f"{major}.{minor}" for major in range(1, 30) for minor in range(10))


def parse_pair(text: str) -> Pair | None:
    """Parse "12.8", "12" or "12.8.1" as MAJOR.MINOR; None for anything else."""
    match = re.fullmatch(_PAIR, text.strip())
    return (int(match[1]), int(match[2] or 0)) if match else None


def parse_capability(text: str) -> Pair | None:
    """Parse "9.0" as a compute capability; None for anything else, "90" too."""
    return parse_pair(text) if text.count(".") == 1 else None


def _spelled(parse: Callable[[str], Pair | None]) -> Callable[[str], str | None]:
    return lambda text: NONE if text == NONE else _dotted(pair) if (pair := parse(text)) else None


class Nvidia(VariantProvider):
    """CUDA of the driver, as bounds, and the architectures of the devices."""

    namespace = "nvidia"
    title = "NVIDIA driver"
    features = (LOWER_BOUND, UPPER_BOUND, SM_ARCH)
    metadata = Provider(
        requires=("nvidia-variant-provider",), plugin_api="nvidia_variant_provider.plugin:NvidiaVariantPlugin"
    )
    vendored = "0.0.1"
    drivers = ("libcuda", "nvcuda", "libnvidia-ml", "nvml")
    packages = ("nvidia-", "cuda", "cupy", "torch", "triton", "numba")
    names = rb"libcuda(?:\.so|rt)"
    code_feature = SM_ARCH
    runtime = "CUDA"
    runtime_feature = LOWER_BOUND
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(
            CUDA,
            (LOWER_BOUND, UPPER_BOUND),
            _spelled(parse_pair),
            known_versions,
            "none, or the MAJOR.MINOR that the driver supports, for example 12.8",
            order=parse_pair,
            is_open=True,
            listed=listed_versions,
            is_always_told=True,
        ),
        Variable(
            SM_ARCH,
            (SM_ARCH,),
            _spelled(parse_capability),
            known_capabilities,
            "none, or a compute capability MAJOR.MINOR, for example 9.0",
            order=parse_pair,
            is_open=True,
            needs=CUDA,
        ),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the bound of `cu128`, `cuda12_8` or `cu12x`, or the architecture of `sm90a` or `compute_90`."""
        if match := re.fullmatch(_CUDA_WORD, word):
            return (self.property(LOWER_BOUND, f"{match[1]}.{int(match[2] or 0)}"),)
        if match := re.fullmatch(_CODE_WORD, word):
            return (self.property(SM_ARCH, f"{match[2]}_{'real' if match[1] == 'sm' else 'virtual'}"),)
        return ()

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Ask the driver; the two variables that the provider honours in `environ` override what it says.

        Raises UsageError where such a variable is no version. Nothing else raises: a driver that does not answer is
        none.
        """
        driver = _forced(environ, FORCE_DRIVER, parse_pair)
        capability = _forced(environ, FORCE_SM_ARCH, parse_capability)
        if driver is None or capability is None:
            found, device = _ask_driver()
            # Like the provider: a driver outside the range that it knows is none, unless it was forced.
            if driver is None and found is not None and (_FIRST_MAJOR, 0) <= found <= (_LAST_MAJOR, _LAST_MINOR):
                driver = found
            capability = capability or device
        told = {CUDA: _dotted(driver) if driver else NONE}
        return told if capability is None else {**told, SM_ARCH: _dotted(capability)}

    def supported(self, values: Values) -> Features:
        """Return the bounds and architectures, best first; nothing without a driver."""
        driver, capability = (parse_pair(values.get(name, NONE)) for name in (CUDA, SM_ARCH))
        if driver is None:
            return {}
        result = {LOWER_BOUND: lower_bounds(driver), UPPER_BOUND: upper_bounds(driver)}
        if capability is not None and capability >= _LOWEST_CAPABILITY:
            result[SM_ARCH] = sm_values(capability)
        return {feature: found for feature, found in result.items() if found}

    def told_apart(self, variable: Variable, wanted: Iterable[str]) -> Sequence[str]:
        """Return drivers on both sides of every bound, and for each architecture its lowest and highest device."""
        if variable.name == SM_ARCH:
            majors = {
                (int(match[1]) // 10, int(match[1]) % 10) for one in wanted if (match := re.fullmatch(_CODE, one))
            }
            devices = sorted({*majors, *((major, 9) for major, _ in majors)})
            return tuple(map(_dotted, devices)) or (NONE,)
        drivers = set()
        for major, minor in filter(None, map(parse_pair, wanted)):
            drivers |= {(major, minor), (major, minor + 1), (major, minor - 1) if minor else (major - 1, 9)}
        return (NONE, *map(_dotted, sorted(drivers)))

    def machines(self, items: Iterable[Property], platform: str) -> Sequence[Values]:
        """Return the machines; a release that asks for a device only is told apart with a driver of today."""
        own = tuple(items)
        if {item.feature for item in own} == {SM_ARCH}:
            own = (*own, self.property(LOWER_BOUND, "13.0"))
        return super().machines(own, platform)

    @property
    def patterns(self) -> Sequence[bytes]:
        """Return what begins device code."""
        from variant_publish.binary.fatbin import DEVICE_CODE

        return DEVICE_CODE

    def evidence(self, data: Buffer, image: Image, found: Found) -> Evidence | None:
        """Return the cubins and PTX inside, and the CUDA of the needed libraries, else of what the compiler left."""
        from variant_publish.binary import evidence
        from variant_publish.binary.fatbin import DeviceImages

        images = DeviceImages.of(data, found)
        majors, why = evidence.majors_of(image.needed, evidence.CUDA)
        if not majors:
            majors = images.cuda_majors
            why = "has device code" if images.codes else evidence.NAMES if found.get(self.names) else ""
        return evidence.Evidence(self.namespace, tuple(code.value for code in images.codes), majors, why)

    def meets(self, claimed: str, found: str) -> bool:
        """Return whether the claim is met; a cubin for "90a" runs on 9.0 as one for "90" does, not the reverse."""
        from variant_publish.binary.fatbin import DeviceCode

        wanted, code = DeviceCode.parse(claimed), DeviceCode.parse(found)
        if wanted is None or code is None:
            return claimed == found
        return (code.arch, code.is_ptx) == (wanted.arch, wanted.is_ptx) and wanted.suffix in ("", code.suffix)

    def code_name(self, value: str) -> str:
        """Return sm_90, or compute_90 for PTX."""
        from variant_publish.binary.fatbin import DeviceCode

        code = DeviceCode.parse(value)
        return value if code is None else str(code)

    def sentence(self, feature: str, value: str) -> str:
        """Return what the driver or the device must be."""
        if feature == SM_ARCH:
            return f"an NVIDIA GPU of architecture {value}"
        return f"an NVIDIA driver for CUDA {'below ' if feature == UPPER_BOUND else ''}{value}" + (
            " or newer" if feature == LOWER_BOUND else ""
        )

    def here(self, feature: str, values: Values) -> str:
        """Return the driver's CUDA, or the capability of the device."""
        if values.get(CUDA, NONE) == NONE:
            return "no NVIDIA driver"
        if feature == SM_ARCH:
            return f"compute capability {values[SM_ARCH]}" if SM_ARCH in values else "no known compute capability"
        return f"CUDA {values[CUDA]}"


def _versions(major: int, minor: int) -> list[str]:
    return [*(f"{major}.{number}" for number in range(minor, -1, -1)), str(major)]


def _forced(environ: Mapping[str, str], name: str, parse: Callable[[str], Pair | None]) -> Pair | None:
    text = environ.get(name)
    if not text:
        return None
    pair = parse(text)
    if pair is None:
        raise UsageError(f"{name} is {text!r}, which is no version", hint="set it to MAJOR.MINOR, as in 12.8 or 9.0")
    return pair


def _ask_driver() -> tuple[Pair | None, Pair | None]:
    """Return the CUDA version of the driver, and the capability of the most capable device."""
    import ctypes

    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if library.cuInit(0) != 0:
            return None, None  # the library is there and no device is: a container image without its GPU
        version, count = ctypes.c_int(), ctypes.c_int()
        if library.cuDriverGetVersion(ctypes.byref(version)) != 0 or version.value <= 0:
            return None, None
        driver = (version.value // 1000, version.value % 1000 // 10)
        if library.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return driver, None
        return driver, max((_capability(library, index) for index in range(count.value)), default=None)
    except (OSError, AttributeError):  # no such library, or one that is not the driver's
        return None, None


def _capability(library: Any, device: int) -> Pair:
    import ctypes

    major, minor = ctypes.c_int(), ctypes.c_int()
    for value, attribute in ((major, _CAPABILITY_MAJOR), (minor, _CAPABILITY_MINOR)):
        library.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
    return (major.value, minor.value)


def _dotted(pair: Pair) -> str:
    return f"{pair[0]}.{pair[1]}"
