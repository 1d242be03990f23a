"""Google TPU: whether there is one, as tpu-variant-provider 0.1.0 says it, which today's uv carries in itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import Property
from variant_publish.providers.base import NONE, Features, Values, Variable, VariantProvider, choice_of
from variant_publish.providers.sysfs import texts

FORCE_PRESENT = "TPU_VARIANT_PROVIDER_FORCE_PRESENT"
TPU = "tpu"
PRESENT = "present"

_GOOGLE = "0x1ae0"
_DEVICES = frozenset({"0x0027", "0x0056", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076"})
"""The PCI ids of TPUs, v2 to v7, as JAX has them; Google's network cards have others."""


class Tpu(VariantProvider):
    """Whether a TPU is there: `tpu :: present :: true`, or `false`."""

    namespace = "tpu"
    title = "TPU"
    features = (PRESENT,)
    metadata = Provider(requires=("tpu-variant-provider",), plugin_api="tpu_variant_provider.plugin:TpuVariantPlugin")
    vendored = "0.1.0"
    drivers = ("libtpu",)
    systems = ("linux",)
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(TPU, (PRESENT,), choice_of(lambda: ("true",)), lambda: ("true",), "none or true"),
    )

    def properties_of(self, word: str) -> tuple[Property, ...]:
        """Return the property of `tpu`."""
        return (self.property(PRESENT, "true"),) if word == "tpu" else ()

    def detect(self, environ: Mapping[str, str]) -> Values:
        """Look for a PCI device of Google's; the variable that the provider honours overrides it."""
        if forced := environ.get(FORCE_PRESENT):
            return {TPU: "true" if forced.lower() in ("1", "true") else NONE}
        pairs = zip(
            texts(environ, "bus/pci/devices/*/vendor"), texts(environ, "bus/pci/devices/*/device"), strict=False
        )
        return {TPU: "true"} if any(vendor == _GOOGLE and device in _DEVICES for vendor, device in pairs) else {}

    def supported(self, values: Values) -> Features:
        """Return whether there is one."""
        return {PRESENT: ("true" if values.get(TPU, NONE) == "true" else "false",)}

    def sentence(self, feature: str, value: str) -> str:
        """Return what the machine must have."""
        return "a TPU" if value == "true" else "no TPU"
