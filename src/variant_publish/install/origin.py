"""Whose build an installed distribution is: whether it carries the extra tags that an ABI pin asks for."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256

import msgspec

from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.formats.simple import IndexFile
from variant_publish.install.environment import Installed
from variant_publish.model.requirement import TaggedRequirement


class PinState(StrEnum):
    """Name what can be said of a pin."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Judgement(msgspec.Struct, frozen=True):
    """A verdict and its reason, a sentence about the installed distribution."""

    state: PinState
    reason: str


def judge(pin: TaggedRequirement, installed: Installed | None, files: Iterable[IndexFile] | None) -> Judgement:
    """Return whether an installed distribution is the build that a pin means.

    `files` is what the index lists that vouches for the tags of the pin; None where no such index is known. A build
    from a folder, a file or another index is not the one, even if it has the same version.
    """
    if installed is None:
        return Judgement(PinState.BROKEN, f"{pin.project} is not installed")
    here = f"{pin.project} {installed.version}"
    if not pin.plain.specifier.contains(installed.version, prereleases=True):
        return Judgement(PinState.BROKEN, f"{here} is installed")
    record = installed.record
    if record is not None:
        found = PinState.HOLDS if set(pin.tags) <= set(record.tags) else PinState.BROKEN
        return Judgement(found, f"{here} was installed from {record.wheel} of {record.index}")
    direct = installed.direct_url
    if "dir_info" in direct or "vcs_info" in direct:
        return Judgement(PinState.BROKEN, f"{here} was built from {direct.get('url')}")
    if files is None:
        return Judgement(PinState.UNKNOWN, f"no index is known that vouches for +{'+'.join(pin.tags)}")
    listed = [(name, file) for name, file in wheels_among(files) if name.parsed_version == installed.version]
    if direct:
        return _of_archive(direct, here, listed)
    if not any(_same(installed, name, file) for name, file in listed):
        tags = ", ".join(sorted(installed.tags)) or "no tag"
        reason = f"{here} ({tags}) is none of the wheels that the index has of it: it was built elsewhere"
        return Judgement(PinState.BROKEN, reason)
    return Judgement(PinState.HOLDS, f"{here} is a wheel of the index")


def _of_archive(direct: object, here: str, listed: list[tuple[WheelName, IndexFile]]) -> Judgement:
    assert isinstance(direct, dict)  # noqa: S101  (Installed reads an object)
    info = direct.get("archive_info", {})
    digest = info.get("hashes", {}).get("sha256") or info.get("hash", "").removeprefix("sha256=")
    for _, file in listed:
        if file.url == direct.get("url") or (digest and digest == file.sha256):
            return Judgement(PinState.HOLDS, f"{here} is {file.filename} of the index")
    return Judgement(PinState.BROKEN, f"{here} was installed from {direct.get('url')}, which is not on the index")


def _same(installed: Installed, name: WheelName, file: IndexFile) -> bool:
    """Compare what an installed distribution keeps of its wheel: the tags, and METADATA where the index hashes it."""
    if installed.tags != frozenset(name.tag_lines()):
        return False
    metadata = installed.dist_info / "METADATA"
    return file.metadata_sha256 is None or sha256(metadata.read_bytes()).hexdigest() == file.metadata_sha256
