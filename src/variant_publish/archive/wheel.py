"""What one wheel says of itself: its name, dist-info files and their values, however much of the wheel was read.

There are four kinds: the whole file (WholeWheel), its directory and dist-info alone (OutlineWheel), METADATA as an
index serves it (MetadataWheel), and what a summary has kept (SummaryWheel). A function says by its types what it needs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import msgspec

from variant_publish.archive.digest import read_digest, sha256_of
from variant_publish.archive.dist_info import DistInfo
from variant_publish.archive.zipraw import Directory, RawArchive, open_archive
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError, naming
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.record import Record
from variant_publish.formats.summary import Summary
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.formats.wheel_file import WheelFile
from variant_publish.model.requirement import TaggedRequirement


class Wheel(msgspec.Struct, frozen=True, dict=True):
    """What is known of every wheel; `size` is in bytes."""

    name: WheelName
    size: int
    metadata: Metadata

    read_as: ClassVar[str]
    """How much was read, for messages."""

    @cached_property
    def filename(self) -> str:
        """Return the file name without its folder."""
        return str(self.name)

    @cached_property
    def tagged_requires_dist(self) -> tuple[TaggedRequirement, ...]:
        """Return the Requires-Dist values of METADATA that carry extra tags."""
        found = []
        for value in self.metadata.requires_dist:
            if "+" not in value:
                continue  # most have none, which is quickly seen
            try:
                requirement = TaggedRequirement.parse(value)
            except UsageError:
                continue  # not ours to judge here: `check` reports requirements that do not parse
            if requirement.tags:
                found.append(requirement)
        return tuple(found)


class MetadataWheel(Wheel, frozen=True):
    """A wheel of which an index serves METADATA (PEP 658); the wheel itself was not read."""

    read_as: ClassVar[str] = "METADATA only"

    @classmethod
    def parse(cls, filename: str, size: int, content: bytes) -> Self:
        """Build from METADATA; raise VariantPublishError where it or the name cannot be read."""
        with naming(f"{filename}.metadata", VariantPublishError):
            return cls(WheelName.parse(filename), size, Metadata.parse(content))


class DescribedWheel(Wheel, frozen=True, dict=True):
    """A wheel whose dist-info is known."""

    inside: DistInfo

    @property
    @abstractmethod
    def sha256(self) -> str:
        """Return the SHA-256 of the whole file, lower-case hex."""

    @property
    def dist_info(self) -> str:
        """Return the name of the wheel's own dist-info folder."""
        return self.inside.folder

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
        """Return the names of the archive's members; of a summary, those that RECORD has."""
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
        return self.inside.files

    @cached_property
    def record(self) -> Record | None:
        """Return RECORD, parsed; None where there is none. Raises VariantPublishError where it is no RECORD."""
        text = self.record_text
        with naming(self.filename, VariantPublishError):
            return None if text is None else Record.parse(text)

    @cached_property
    def pins(self) -> tuple[TaggedRequirement, ...]:
        """Return every requirement with extra tags, from METADATA and from abi-requires.txt, sorted."""
        return tuple(sorted({*self.abi_requires, *self.tagged_requires_dist}, key=str))


class SummaryWheel(DescribedWheel, frozen=True):
    """A wheel that is known by its summary alone."""

    summary: Summary

    read_as: ClassVar[str] = "summary only"

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """Build from a summary; raise VariantPublishError where it describes no wheel."""
        with naming(f"the summary of {summary.file}"):
            name = WheelName.parse(summary.file)
            rows = () if summary.record is None else Record.parse(summary.record).rows
            inside = DistInfo.parse(summary.dist_info, summary.files, summary.record, [row.path for row in rows])
            return cls(name, summary.size, Metadata.parse(summary.files["METADATA"]), inside, summary)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that the summary has."""
        return self.summary.sha256


class ArchiveWheel(DescribedWheel, frozen=True):
    """A wheel whose central directory is known."""

    directory: Directory


class OutlineWheel(ArchiveWheel, frozen=True):
    """A wheel on a server: directory and dist-info were read, `listed` is the hash that its index has."""

    listed: str = ""

    read_as: ClassVar[str] = "directory and dist-info only"

    @classmethod
    def of(cls, archive: RawArchive, name: WheelName, sha256: str = "") -> Self:
        """Read what is needed of an archive on a server; raise what `WholeWheel.read` raises."""
        with naming(name, VariantPublishError):
            inside = DistInfo.read(archive, name)
            metadata = Metadata.parse(inside.files["METADATA"])
            wheel = cls(name, archive.size, metadata, inside, archive.directory, sha256)
            _ = wheel.record
        return wheel

    @property
    def sha256(self) -> str:
        """Return the SHA-256 that the index lists; "" where it lists none."""
        return self.listed


class WholeWheel(ArchiveWheel, frozen=True, dict=True):
    """A wheel that lies on this machine, at `path`."""

    path: Path

    read_as: ClassVar[str] = "whole"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a wheel's name and dist-info.

        Raises InvalidWheelName, InvalidArchive, or another VariantPublishError that names the file.
        """
        name = WheelName.parse(path.name)
        with open_archive(path) as archive:
            wheel = cls.of(archive, name)
        try:
            _ = wheel.record  # a RECORD that cannot be read is found here
        except VariantPublishError as error:
            raise VariantPublishError(f"{path}{error.message.removeprefix(path.name)}", hint=error.hint) from error
        return wheel

    @classmethod
    def of(cls, archive: RawArchive, name: WheelName, *, variant_json: bool = True) -> Self:
        """Read the dist-info of an open archive; RECORD is not parsed yet. See `DistInfo.read`."""
        with naming(archive.path, VariantPublishError):
            inside = DistInfo.read(archive, name, variant_json=variant_json)
            metadata = Metadata.parse(inside.files["METADATA"])
            return cls(name, archive.size, metadata, inside, archive.directory, archive.path)

    def open(self) -> AbstractContextManager[RawArchive]:
        """Open the file for reading, whose directory is not parsed again."""
        return open_archive(self.path, self.directory)

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the whole file: from a digest file that is still true, else computed."""
        return read_digest(self.path) or sha256_of(self.path)


def described(wheels: Iterable[Wheel]) -> tuple[DescribedWheel, ...]:
    """Return wheels as ones whose dist-info is known; raise VariantPublishError where that of one was not read."""
    found = []
    for wheel in wheels:
        if not isinstance(wheel, DescribedWheel):
            raise VariantPublishError(
                f"{wheel.read_as} was read of {wheel.filename}", hint="read its directory and dist-info too"
            )
        found.append(wheel)
    return tuple(found)
