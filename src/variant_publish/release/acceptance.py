"""What a public repository takes, and why it refuses the rest: names, sizes and metadata, by the code of Warehouse."""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.metadata import Metadata

FILE_LIMIT = 100 * 1024**2
PROJECT_LIMIT = 10 * 1024**3
"""Bytes of one file, and of all files of a project, unless the repository has granted more."""

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


def refusal_of_requirements(metadata: Metadata) -> str | None:
    """Return the reason for which the repository refuses requirements, or None."""
    for value in metadata.requires_dist:
        try:
            requirement = Requirement(value)
        except InvalidRequirement:
            continue  # `check` reports it
        if requirement.url is not None:
            return f"it requires {requirement.name} by URL"
    return None


def refusal_of_name(name: WheelName, *, takes_variants: bool = False) -> str | None:
    """Return the reason for which the repository refuses a file name, or None.

    A local version that is a variant never goes there: every installer would prefer it, on every machine. Of other
    local versions nothing is known, so `takes_variants` lets them pass.
    """
    if not name.chosen_by_installers:
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


def refusals_of_metadata(content: bytes) -> tuple[str, ...]:
    """Return everything in METADATA that the repository refuses (core metadata as packaging validates it).

    License-File is older than its version of the metadata, 2.4: twine and `upload` do not send it in an older one.
    """
    from packaging.metadata import Metadata, parse_email

    raw, unparsed = parse_email(content)
    errors = [f"unrecognized or malformed field {name!r}" for name in unparsed]
    if raw.get("metadata_version", "").startswith(("1.", "2.0", "2.1", "2.2", "2.3")):
        raw.pop("license_files", None)
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        errors += map(str, group.exceptions)
    return tuple(errors)


def description_fault(content: bytes) -> str | None:
    """Return why the description does not render, as `twine check` finds out; only reStructuredText can fail."""
    from packaging.metadata import parse_email

    raw, _ = parse_email(content)
    kind = raw.get("description_content_type", "").partition(";")[0].strip().lower()
    description = raw.get("description", "").strip()
    return _rst_fault(description) if description and kind not in ("text/plain", "text/markdown") else None


@lru_cache(maxsize=8)
def _rst_fault(description: str) -> str | None:
    """Render; the wheels of a release have one description, so that it is done once."""
    from io import StringIO

    from readme_renderer import rst

    warnings = StringIO()
    if rst.render(description, stream=warnings) is not None:
        return None
    return " ".join(warnings.getvalue().replace("<string>:", "line ").split()) or "it is empty when it is rendered"
