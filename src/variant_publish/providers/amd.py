"""AMD: the architecture of the GPU as the Linux kernel shows it, and the version of ROCm, read from files.

The properties are those of amd-variant-provider, whose environment variables count here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Values, Variable, VariantProvider
from variant_publish.providers.sysfs import read, texts

if TYPE_CHECKING:
    from variant_publish.binary.content import Buffer, Found
    from variant_publish.binary.evidence import Evidence
    from variant_publish.binary.image import Image

GFX_ARCH = "gfx_arch"
ROCM = "rocm"
ROCM_VERSION = "rocm_version"

FORCE_GFX_ARCH = "AMD_VARIANT_PROVIDER_GFX_ARCH"
FORCE_ROCM = "AMD_VARIANT_PROVIDER_ROCM_VERSION"

ARCHITECTURES = (
    "gfx900", "gfx906", "gfx908", "gfx90a", "gfx90c", "gfx940", "gfx941", "gfx942", "gfx950", "gfx1010", "gfx1011",
    "gfx1012", "gfx1013", "gfx1030", "gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036", "gfx1100",
    "gfx1101", "gfx1102", "gfx1103", "gfx1150", "gfx1151", "gfx1152", "gfx1153", "gfx1200", "gfx1201", "gfx1250",
)  # fmt: skip
"""The architectures that ROCm has compiled for."""

_NODES = "class/kfd/kfd/topology/nodes/*/properties"
_TARGET = re.compile(r"^gfx_target_version ([0-9]{1,9})$", re.MULTILINE)
_UNITS = re.compile(r"^simd_count ([0-9]{1,9})$", re.MULTILINE)
_ARCH = r"gfx[0-9]{1,3}[0-9a-f]{2}"
_VERSION = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})(?:[.-].*)?", re.DOTALL)
_WORD = r"rocm_?([0-9]{1,2}?)[._]?([0-9]{1,2})(?:[._][0-9]{1,2})?"


def rocm_versions() -> tuple[str, ...]:
    """Return the versions of ROCm that a selector file lists, lowest first."""
    return tuple(f"{major}.{minor}" for major in range(5, 10) for minor in range(20 if major == 7 else 10))


def parse_rocm(text: str) -> str | None:
    """Parse "6.4" or "6.4.1-91" as MAJOR.MINOR, or "none"; None for anything else."""
    match = _VERSION.fullmatch(text)
    return f"{int(match[1])}.{int(match[2])}" if match else NONE if text == NONE else None


class Amd(VariantProvider):
    """The architecture of the GPU, and the version of ROCm: `amd :: gfx_arch` and `amd :: rocm_version`."""

    namespace = "amd"
    title = "AMD GPU"
    features = (GFX_ARCH, ROCM_VERSION)
    metadata = Provider(requires=("amd-variant-provider",), plugin_api="amd_variant_provider.plugin:AMDVariantPlugin")
    drivers = ("libamdhip64", "libhsa-runtime64", "amdhip64")
    packages = ("rocm", "amd-", "torch", "triton", "cupy")
    names = rb"libamdhip64"
    code_feature = GFX_ARCH
    runtime = "ROCm"
    runtime_feature = ROCM_VERSION
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(
            GFX_ARCH,
            (GFX_ARCH,),
            lambda text: text if text == NONE or re.fullmatch(_ARCH, text) else None,
            lambda: ARCHITECTURES,
            "none, or an architecture, for example gfx942",
        ),
        Variable(
            ROCM,
            (ROCM_VERSION,),
            parse_rocm,
            rocm_versions,
            "none, or the MAJOR.MINOR of ROCm, for example 6.4",
            order=lambda value: tuple(map(int, value.split("."))),
            needs=GFX_ARCH,
        ),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the architecture of `gfx942`, or the version of `rocm6.4`, `rocm6_4` or `rocm64`."""
        if re.fullmatch(_ARCH, word):
            return (self.property(GFX_ARCH, word),)
        match = re.fullmatch(_WORD, word)
        return (self.property(ROCM_VERSION, f"{match[1]}.{match[2]}"),) if match and match[1] else ()

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Read the kernel's topology and ROCm's version file.

        Of several GPUs the one with the most units counts: a graphics unit in the CPU is not what wheels are for.
        """
        forced = (environ.get(FORCE_GFX_ARCH) or "").replace(",", " ").replace(";", " ").split()
        arch = forced[0] if forced and re.fullmatch(_ARCH, forced[0]) else _architecture(environ)
        if arch is None:
            return {}
        place = Path(environ.get("ROCM_PATH") or "/opt/rocm")
        version = parse_rocm(environ.get(FORCE_ROCM) or read(place / ".info/version") or "")
        return {GFX_ARCH: arch, **({ROCM: version} if version else {})}

    @property
    def patterns(self) -> Sequence[bytes]:
        """Return what begins device code."""
        from variant_publish.binary.offload import BUNDLES

        return BUNDLES

    def evidence(self, data: Buffer, image: Image, found: Found) -> Evidence | None:
        """Return the architectures of the offload bundles inside, and the ROCm of the needed libraries."""
        from variant_publish.binary import evidence
        from variant_publish.binary.offload import offload_targets

        code = {target.arch for target in offload_targets(data, found) if target.arch.startswith("gfx")}
        majors, why = evidence.majors_of(image.needed, evidence.ROCM)
        why = why or (evidence.NAMES if not code and found.get(self.names) else "")
        return evidence.Evidence(self.namespace, tuple(sorted(code, key=lambda arch: (len(arch), arch))), majors, why)

    def meets(self, claimed: str, found: str) -> bool:
        """Return whether code is for an architecture, or for a family that it belongs to: gfx9-4-generic."""
        family = found.removesuffix("-generic").replace("-", "")
        return claimed == found or (found.endswith("-generic") and claimed.startswith(family))

    def sentence(self, feature: str, value: str) -> str:
        """Return what the GPU, or ROCm, must be."""
        return f"an AMD GPU of architecture {value}" if feature == GFX_ARCH else f"ROCm {value}"

    def here(self, feature: str, values: Values) -> str:
        """Return the architecture, or the version of ROCm."""
        if values.get(GFX_ARCH, NONE) != NONE and feature == ROCM_VERSION:
            return f"ROCm {values[ROCM]}" if values.get(ROCM, NONE) != NONE else "no ROCm"
        return super().here(feature, values)


def _architecture(environ: Mapping[str, str]) -> str | None:
    found = []
    for text in texts(environ, _NODES):
        target, units = _TARGET.search(text), _UNITS.search(text)
        if target and int(target[1]):  # a CPU is a node too, with target 0
            found.append((int(units[1]) if units else 0, int(target[1])))
    number = max(found)[1] if found else 0
    # 90402 is 9.4.2; the last two parts are hexadecimal digits in the name.
    return f"gfx{number // 10000}{number // 100 % 100:x}{number % 100:x}" if number else None
