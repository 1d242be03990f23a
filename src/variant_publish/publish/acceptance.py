"""What a public repository takes, and why it refuses the rest (the file names and platform tags of Warehouse)."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement

from variant_publish.archive.wheel import Wheel
from variant_publish.model.wheel_name import WheelName

_ARCH = r"(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|riscv64)"
_MAC = r"(ppc|ppc64|i386|x86_64|arm64|intel|fat|fat32|fat64|universal|universal2)"
_PLATFORMS = re.compile(
    "|".join(
        (
            r"any|win32|win_amd64|win_arm64|win_ia64",
            rf"manylinux(1|2010|2014)_{_ARCH}",
            rf"(many|musl)linux_[0-9]+_[0-9]+_{_ARCH}",
            r"linux_armv[67]l",
            rf"macosx_(10_[0-9]+|1[1-9]_0|[2-9][0-9]_0)_{_MAC}",
            r"ios_[0-9]+_[0-9]+_(arm64|x86_64)_(iphoneos|iphonesimulator)",
            r"android_[0-9]+_(arm64_v8a|armeabi_v7a|x86_64|x86)",
            r"pyemscripten_[0-9]+_[0-9]+_wasm32",
        )
    )
)


def refusal_of(wheel: Wheel, *, takes_variants: bool = False) -> str | None:
    """Give the reason for which the repository refuses a wheel, or None; `takes_variants`: not for being a variant."""
    if reason := refusal_of_name(wheel.name, takes_variants=takes_variants):
        return reason
    for value in wheel.metadata.requires_dist:
        try:
            requirement = Requirement(value)
        except InvalidRequirement:
            continue  # `check` reports it
        if requirement.url is not None:
            return f"it requires {requirement.name} by URL"
    return None


def refusal_of_name(name: WheelName, *, takes_variants: bool = False) -> str | None:
    """Give the reason for which the repository refuses a file name, or None.

    A local version that is a variant never goes there: every installer would prefer it, on every machine. Of other
    local versions nothing is known, so `takes_variants` lets them pass.
    """
    if name.local is not None:
        return f"it is the variant {name.variant} as a local version, which belongs into a view"
    if not takes_variants:
        if name.dialect is not None:
            return f"it is the variant {name.variant}"
        if name.parsed_version.local is not None:
            return f"it has the local version {name.parsed_version}"
    for platform in name.platform:
        if not _PLATFORMS.fullmatch(platform):
            return f"its platform {platform} is not one that public repositories take"
    return None
