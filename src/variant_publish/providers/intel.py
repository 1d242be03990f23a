"""Intel GPUs (xpu): their device IP, which the Level Zero loader tells.

The property is that of intel-variant-provider.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Features, Values, Variable, VariantProvider

if TYPE_CHECKING:
    from variant_publish.binary.content import Buffer, Found
    from variant_publish.binary.evidence import Evidence
    from variant_publish.binary.image import Image

FORCE = "INTEL_VARIANT_PROVIDER_FORCE_DEVICE_IP"
XPU = "xpu"
DEVICE_IP = "device_ip"

BASES: Mapping[str, str] = {
    "12.56.5": "12.55.8", "12.57.0": "12.55.8", "12.71.4": "12.70.4", "20.2.0": "20.1.0", "20.4.4": "20.1.0",
    "30.1.0": "30.0.4", "30.3.1": "30.0.4", "30.4.4": "30.0.4", "30.5.4": "30.0.4",
}  # fmt: skip
"""Devices that run the code of another one, too."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "dg2": ("12.55.8",), "pvc": ("12.60.7",), "mtl": ("12.70.4",), "bmg": ("20.1.0",), "lnl": ("20.4.4",),
    "ptl": ("30.0.4",), "xpu": ("12.55.8", "12.60.7", "12.70.4", "20.1.0", "30.0.4"),
}  # fmt: skip
"""What ocloc calls devices, and `xpu` for all that wheels are usually compiled for."""

_IP = r"[0-9]{1,4}\.[0-9]{1,3}\.[0-9]{1,2}"
_VENDOR = 0x8086
_GPU_ONLY = 1
_INIT_DRIVER, _PROPERTIES, _IP_VERSION = 0x00020021, 0x3, 0x1000F  # ze_structure_type_t
_MOST = 64


class Intel(VariantProvider):
    """The device IP of the GPU: `intel :: device_ip`."""

    namespace = "intel"
    title = "Intel GPU"
    features = (DEVICE_IP,)
    metadata = Provider(
        requires=("intel-variant-provider",), plugin_api="intel_variant_provider.plugin:IntelVariantPlugin"
    )
    drivers = ("libze_loader", "ze_loader")
    packages = ("intel-", "torch", "triton", "dpc")
    names = rb"lib(?:sycl|ze_loader)"
    code_feature = DEVICE_IP
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(
            XPU,
            (DEVICE_IP,),
            lambda text: text if text == NONE or re.fullmatch(_IP, text) else None,
            lambda: tuple(sorted({*BASES, *BASES.values(), "12.60.7"})),
            "none, or the device IP of the GPU, for example 20.1.0",
        ),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the devices of `xpu`, `bmg` or `pvc`."""
        return tuple(self.property(DEVICE_IP, value) for value in WORDS.get(word, ()))

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Ask the Level Zero loader for the first GPU; `INTEL_VARIANT_PROVIDER_FORCE_DEVICE_IP` overrides it."""
        found = environ.get(FORCE) or _ask_loader()
        return {XPU: found} if found and re.fullmatch(_IP, found) else {}

    def supported(self, values: Values) -> Features:
        """Return the device IP, and that whose code the device runs, too."""
        value = values.get(XPU, NONE)
        return {} if value == NONE else {DEVICE_IP: (value, *filter(None, (BASES.get(value),)))}

    @property
    def patterns(self) -> Sequence[bytes]:
        """Return what begins device code."""
        from variant_publish.binary.offload import SYCL

        return (SYCL,)

    def evidence(self, data: Buffer, image: Image, found: Found) -> Evidence | None:
        """Return "spir64" where there is code that the driver compiles for any device; which others, no header says."""
        from variant_publish.binary.evidence import NAMES, Evidence
        from variant_publish.binary.offload import sycl_targets

        code = sycl_targets(found)
        return Evidence(self.namespace, tuple(sorted(code)), why=NAMES if not code and found.get(self.names) else "")

    def meets(self, claimed: str, found: str) -> bool:
        """Return whether the code runs on a device: that for any device does."""
        return found in (claimed, "spir64")

    def is_value(self, code: str) -> bool:
        """Return whether the code is for one device; what is for any is none."""
        return re.fullmatch(_IP, code) is not None

    def sentence(self, feature: str, value: str) -> str:
        """Return what the GPU must be."""
        name = next((word for word, values in WORDS.items() if values == (value,)), "")
        return f"an Intel GPU of device IP {value}{f' ({name})' if name else ''}"


def ip_of(number: int) -> str:
    """Return the device IP in its usual spelling: architecture, release and revision of one number."""
    return f"{number >> 22}.{number >> 14 & 0xFF}.{number & 0x3F}"


def _ask_loader() -> str | None:
    """Return the device IP of the first Intel GPU that the loader shows (zeInitDrivers of Level Zero 1.10)."""
    import ctypes as c

    class Init(c.Structure):
        _fields_: ClassVar[list[Any]] = [("stype", c.c_int), ("next", c.c_void_p), ("flags", c.c_uint32)]

    class Version(c.Structure):
        _fields_: ClassVar[list[Any]] = [("stype", c.c_int), ("next", c.c_void_p), ("ip", c.c_uint32)]

    class Properties(c.Structure):
        # What follows the vendor is of no interest, and is given room.
        _fields_: ClassVar[list[Any]] = [
            ("stype", c.c_int), ("next", c.c_void_p), ("type", c.c_int), ("vendor", c.c_uint32),
            ("rest", c.c_char * 4096),
        ]  # fmt: skip

    try:
        library = c.CDLL("ze_loader.dll" if sys.platform == "win32" else "libze_loader.so.1")
        drivers, devices, count = (c.c_void_p * _MOST)(), (c.c_void_p * _MOST)(), c.c_uint32(_MOST)
        if library.zeInitDrivers(c.byref(count), drivers, c.byref(Init(_INIT_DRIVER, None, _GPU_ONLY))) != 0:
            return None
        for driver in drivers[: min(count.value, _MOST)]:
            number = c.c_uint32(_MOST)
            if library.zeDeviceGet(c.c_void_p(driver), c.byref(number), devices) != 0:
                continue
            for device in devices[: min(number.value, _MOST)]:
                version = Version(_IP_VERSION, None, 0)
                asked = Properties(_PROPERTIES, c.cast(c.pointer(version), c.c_void_p), 0, 0)
                done = library.zeDeviceGetProperties(c.c_void_p(device), c.byref(asked))
                if done == 0 and asked.vendor == _VENDOR and version.ip:
                    return ip_of(version.ip)
    except (OSError, AttributeError):  # no such library, or an older one
        return None
    return None
