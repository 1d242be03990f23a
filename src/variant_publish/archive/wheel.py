"""Read one wheel: its name, dist-info files and what they say; a few small reads, whatever the size of the wheel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from packaging.utils import canonicalize_name

from variant_publish.archive.digest import read_digest
from variant_publish.archive.zipraw import Directory, InvalidArchive, RawArchive, open_archive
from variant_publish.dialects.registry import own_files
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.record import Record
from variant_publish.formats.summary import Summary
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.formats.wheel_file import WheelFile
from variant_publish.model.requirement import TaggedRequirement

ABI_REQUIRES = "abi-requires.txt"
"""The dist-info file of a generic or labelled wheel that holds its ABI pins, one requirement a line."""

SIGNATURES = ("RECORD.jws", "RECORD.p7s")

RECORD = "RECORD"
INFO_FILES = ("METADATA", "WHEEL", RECORD, "entry_points.txt", ABI_REQUIRES, *SIGNATURES)

_SANE_TEXT = 8 * 1024 * 1024
_SPARE_ROWS = 10_000
_MANY_PINS = 256


class ArchiveNotRead(VariantPublishError):
    """Report that something was asked of an archive that was left where it lies: no fault of the wheel."""

    def __init__(self, filename: str) -> None:
        super().__init__(
            f"{filename} itself was not read, only its METADATA", hint="read its directory and dist-info too"
        )


@dataclass(frozen=True, slots=True)
class Inside:
    """What the archive of a wheel says besides METADATA; see `Wheel`, which gives it."""

    dist_info: str
    wheel_file: WheelFile
    record_text: bytes | None
    members: tuple[str, ...]
    variant_json: VariantsMetadata | None = None
    abi_requires: tuple[TaggedRequirement, ...] = ()
    info: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Wheel:
    """What one wheel says of itself; `path` is where it lies, `size` is in bytes.

    `parts` is None where an index gave METADATA and the archive was not read: what lies in it then raises
    ArchiveNotRead. A wheel that is known by its `summary` alone has a `path` at which nothing lies, and the members
    that RECORD has.
    """

    path: Path
    name: WheelName
    size: int
    metadata: Metadata
    parts: Inside | None
    summary: Summary | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a wheel's name and dist-info.

        Raises InvalidWheelName, InvalidArchive, or another VariantPublishError that names the file.
        """
        name = WheelName.parse(path.name)
        with open_archive(path) as archive:
            wheel = cls.of_archive(archive, name)
        _ = wheel.record  # a RECORD that cannot be read is found here, where the file is named
        return wheel

    @classmethod
    def of_archive(cls, archive: RawArchive, name: WheelName, *, variant_json: bool = True) -> Self:
        """Read the dist-info of an open archive; RECORD is not parsed yet.

        With `variant_json=False` that file is not parsed either: it may have an older schema. `info` has its text.
        """
        folder = find_dist_info(archive, name)
        directory = archive.directory
        members = directory.inside(folder)
        info = {
            file: archive.read(
                directory.member(members[f"{folder}/{file}"]),
                limit=_SANE_TEXT + 4 * len(directory.raw) if file == RECORD else _SANE_TEXT,
            )
            for file in (*INFO_FILES, *own_files())
            if f"{folder}/{file}" in members
        }
        record = info.pop(RECORD, None)
        if record is not None and max(map(record.count, (b"\n", b"\r"))) > 2 * len(directory) + _SPARE_ROWS:
            raise InvalidArchive(archive.path, f"has a RECORD of far more rows than its {len(directory)} members")
        if missing := {"METADATA", "WHEEL"} - set(info):
            raise InvalidArchive(
                archive.path, f"has no {folder}/{min(missing)}, so it is not a wheel", hint="build the wheel again"
            )
        return cls._of_info(
            archive.path, name, archive.size, folder, info, record, tuple(directory.names), variant_json=variant_json
        )

    @classmethod
    def of_summary(cls, summary: Summary) -> Self:
        """Build from a summary what the wheel says of itself; raise what `read` raises."""
        name = WheelName.parse(summary.file)
        if missing := {"METADATA", "WHEEL"} - set(summary.files):
            raise VariantPublishError(
                f"the summary of {summary.file} has no {min(missing)}", hint="make it again from the wheel"
            )
        members = [row.path for row in Record.parse(summary.record).rows] if summary.record is not None else []
        return cls._of_info(
            Path(summary.file),
            name,
            summary.size,
            summary.dist_info,
            summary.files,
            summary.record,
            tuple(members),
            summary,
        )

    @classmethod
    def _of_info(
        cls,
        path: Path,
        name: WheelName,
        size: int,
        dist_info: str,
        info: Mapping[str, bytes],
        record: bytes | None,
        members: tuple[str, ...],
        summary: Summary | None = None,
        *,
        variant_json: bool = True,
    ) -> Self:
        try:
            return cls(
                path=path,
                name=name,
                size=size,
                metadata=Metadata.parse(info["METADATA"]),
                parts=Inside(
                    dist_info=dist_info,
                    wheel_file=WheelFile.parse(info["WHEEL"]),
                    record_text=record,
                    members=members,
                    variant_json=VariantsMetadata.parse(info[WHEEL_FILE])
                    if variant_json and WHEEL_FILE in info
                    else None,
                    abi_requires=parse_pins(info.get(ABI_REQUIRES, b"")),
                    info=info,
                ),
                summary=summary,
            )
        except VariantPublishError as error:
            raise VariantPublishError(f"{path}: {error.message}", hint=error.hint) from error

    @classmethod
    def of_metadata(cls, path: Path, size: int, content: bytes) -> Self:
        """Build from METADATA alone, as an index serves it beside the wheel (PEP 658); nothing is at `path`."""
        try:
            return cls(path, WheelName.parse(path.name), size, Metadata.parse(content), None)
        except VariantPublishError as error:
            raise VariantPublishError(f"{path.name}.metadata: {error.message}", hint=error.hint) from error

    @property
    def filename(self) -> str:
        """Return the file name without its folder."""
        return self.path.name

    @property
    def inside(self) -> Inside:
        """Return what the archive holds, or raise ArchiveNotRead."""
        if self.parts is None:
            raise ArchiveNotRead(self.filename)
        return self.parts

    @property
    def dist_info(self) -> str:
        """Return the name of the wheel's own dist-info folder."""
        return self.inside.dist_info

    @property
    def wheel_file(self) -> WheelFile:
        """Return the WHEEL file."""
        return self.inside.wheel_file

    @property
    def record_text(self) -> bytes | None:
        """Return RECORD as it is; None where there is none."""
        return self.inside.record_text

    @property
    def members(self) -> tuple[str, ...]:
        """Return the names in the archive's directory, twice where it lists one twice."""
        return self.inside.members

    @property
    def variant_json(self) -> VariantsMetadata | None:
        """Return variant.json; None where there is none."""
        return self.inside.variant_json

    @property
    def abi_requires(self) -> tuple[TaggedRequirement, ...]:
        """Return the pins of abi-requires.txt."""
        return self.inside.abi_requires

    @property
    def info(self) -> Mapping[str, bytes]:
        """Return the raw content of the small dist-info files that are there, by name; RECORD is not among them."""
        return self.inside.info

    @cached_property
    def record(self) -> Record | None:
        """Return RECORD, parsed; None where there is none. Raises VariantPublishError where it is no RECORD."""
        text = self.record_text
        try:
            return None if text is None else Record.parse(text)
        except VariantPublishError as error:
            raise VariantPublishError(f"{self.path}: {error.message}", hint=error.hint) from error

    @cached_property
    def sha256(self) -> str:
        """Return SHA-256 of the whole file, lower-case hex: from a digest file that is still true, else computed."""
        if self.summary is not None:
            return self.summary.sha256
        if (known := read_digest(self.path)) is not None:
            return known
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @cached_property
    def pins(self) -> tuple[TaggedRequirement, ...]:
        """Return every requirement with extra tags, from METADATA and from abi-requires.txt, sorted."""
        return tuple(sorted({*self.abi_requires, *self.tagged_requires_dist}, key=str))

    @cached_property
    def tagged_requires_dist(self) -> tuple[TaggedRequirement, ...]:
        """Return the Requires-Dist values of METADATA that carry extra tags."""
        found = []
        for value in self.metadata.requires_dist:
            try:
                requirement = TaggedRequirement.parse(value)
            except UsageError:
                continue  # not ours to judge here: `check` reports requirements that do not parse
            if requirement.tags:
                found.append(requirement)
        return tuple(found)


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
            archive.path, f"has {len(own)} dist-info folders: {', '.join(own)}", hint="build the wheel with one of them"
        )
    if folders:
        raise InvalidArchive(
            archive.path,
            f"has no dist-info folder of its own, only {', '.join(folders)}",
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
