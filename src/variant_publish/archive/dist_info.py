"""The dist-info folder of a wheel: its small files, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from variant_publish.archive.zipraw import Directory, InvalidArchive, RawArchive
from variant_publish.dialects.registry import own_files
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.formats.wheel_file import WheelFile
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.requirement import TaggedRequirement

ABI_REQUIRES = "abi-requires.txt"
"""The dist-info file of a generic or labelled wheel that holds its ABI pins, one requirement a line."""

SIGNATURES = ("RECORD.jws", "RECORD.p7s")

RECORD = "RECORD"
INFO_FILES = ("METADATA", "WHEEL", RECORD, "entry_points.txt", ABI_REQUIRES, *SIGNATURES)

_SANE_TEXT = 8 * 1024 * 1024
_SPARE_ROWS = 10_000
_MANY_PINS = 256


class DistInfo(msgspec.Struct, frozen=True):
    """The dist-info folder of a wheel, parsed; see `DescribedWheel`, which has their values.

    `members` are the names in the archive's directory, twice where it lists one twice.
    """

    folder: str
    files: Mapping[str, bytes]
    record_text: bytes | None
    members: tuple[str, ...]
    wheel_file: WheelFile
    variant_json: VariantsMetadata | None = None
    abi_requires: tuple[TaggedRequirement, ...] = ()

    @classmethod
    def parse(
        cls,
        folder: str,
        files: Mapping[str, bytes],
        record: bytes | None,
        members: Iterable[str],
        *,
        variant_json: bool = True,
    ) -> Self:
        """Parse the files; without `variant_json` that file is left as it is, since it may have an older schema."""
        if missing := {"METADATA", "WHEEL"} - set(files):
            raise VariantPublishError(f"there is no {min(missing)}", hint="make it again from the wheel")
        labelled = variant_json and WHEEL_FILE in files
        return cls(
            folder,
            files,
            record,
            tuple(members),
            WheelFile.parse(files["WHEEL"]),
            VariantsMetadata.parse(files[WHEEL_FILE]) if labelled else None,
            parse_pins(files.get(ABI_REQUIRES, b"")),
        )

    @classmethod
    def read(cls, archive: RawArchive, name: WheelName, *, variant_json: bool = True) -> Self:
        """Read the dist-info of an open archive; RECORD is not parsed yet."""
        folder = find_dist_info(archive, name)
        directory = archive.directory
        members = directory.inside(folder)
        files = {
            file: archive.read(
                directory.member(members[f"{folder}/{file}"]),
                limit=_SANE_TEXT + 4 * len(directory.raw) if file == RECORD else _SANE_TEXT,
            )
            for file in (*INFO_FILES, *own_files())
            if f"{folder}/{file}" in members
        }
        record = files.pop(RECORD, None)
        if record is not None and max(map(record.count, (b"\n", b"\r"))) > 2 * len(directory) + _SPARE_ROWS:
            raise InvalidArchive(archive.path, f"has a RECORD of far more rows than its {len(directory)} members")
        if missing := {"METADATA", "WHEEL"} - set(files):
            raise InvalidArchive(
                archive.path, f"has no {folder}/{min(missing)}, so it is not a wheel", hint="build the wheel again"
            )
        return cls.parse(folder, files, record, directory.names, variant_json=variant_json)


def find_dist_info(archive: RawArchive, name: WheelName) -> str:
    """Return the wheel's own dist-info folder: vendored ones, and ones in sub-folders, belong to others.

    Raises InvalidArchive where there is none, or more than one that the file name could mean.
    """
    folders = top_folders(archive.directory, ".dist-info")
    own = [
        folder
        for folder in folders
        if canonicalize_name(folder.removesuffix(".dist-info").rpartition("-")[0]) == name.project
    ]
    if len(own) == 1:
        return own[0]
    if own:
        raise InvalidArchive(
            archive.path,
            f"has {len(own)} dist-info folders: {', '.join(map(repr, own))}",
            hint="build the wheel with one of them",
        )
    if folders:
        raise InvalidArchive(
            archive.path,
            f"has no dist-info folder of its own, only {', '.join(map(repr, folders))}",
            hint="rename the file to what its dist-info says, or build it again",
        )
    raise InvalidArchive(archive.path, "has no dist-info folder, so it is not a wheel", hint="build the wheel again")


def top_folders(directory: Directory, suffix: str) -> list[str]:
    """Return the top-level folders whose names end in `suffix`, in the order of the archive."""
    tops = (name.partition("/") for name in directory.names if suffix in name)
    return list(dict.fromkeys(top for top, separator, _ in tops if separator and top.endswith(suffix)))


def parse_pins(content: bytes) -> tuple[TaggedRequirement, ...]:
    """Parse abi-requires.txt: one requirement a line; blank lines and `#` comments do not count."""
    lines = (line.partition("#")[0].strip() for line in content.decode("utf-8", "replace").splitlines())
    pins = [line for line in lines if line]
    if len(pins) > _MANY_PINS:
        raise VariantPublishError(f"{ABI_REQUIRES} has {len(pins)} pins, more than the {_MANY_PINS} that are read")
    return tuple(map(TaggedRequirement.parse, pins))
