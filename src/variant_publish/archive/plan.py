"""Decide what becomes of every member of a wheel, and write it so: kept, renamed, changed, dropped.

The output is gap-free and deterministic: kept local entries back to back in their old order, renamed ones, changed and
new dist-info files, RECORD, central directory. Changed files carry the time of the old WHEEL file, or that of
SOURCE_DATE_EPOCH where the environment sets it.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Mapping

import msgspec

from variant_publish.archive.dist_info import ABI_REQUIRES, SIGNATURES, top_folders
from variant_publish.archive.rewrite import Rewrite
from variant_publish.archive.transfer import Sink
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.writer import Packed, RawWriter
from variant_publish.archive.zipraw import InvalidArchive, Member, RawArchive
from variant_publish.dialects.registry import own_files
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError, naming
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.record import edit_record
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.progress import Advance

_ODD = ("\n/", "\n\n", "..", "\\", ":", "\0")
"""What occurs in the names of members where one leads outside; most wheels have none of it, which is quickly seen."""


class Layout(msgspec.Struct, frozen=True):
    """Where the members of an archive lie, after every local header was compared with the directory.

    `kept` are the members that stay as they are, in the order of the file, and `ends` where each member ends. The first
    `staying` of the kept lie already where they belong, up to `cut`, if the file is rewritten in place.
    """

    kept: list[int]
    ends: array[int]
    staying: int
    cut: int


class Plan(msgspec.Struct, frozen=True):
    """What becomes of the members of one archive: touched ones get another name, other content, or go.

    `renamed` is their new name by their index, `added` the new content with the old member (or WHEEL) as the model.
    """

    touched: frozenset[int]
    renamed: Mapping[int, str]
    added: Mapping[str, tuple[bytes, Member]]
    date: int
    time: int

    @classmethod
    def of_archive(cls, archive: RawArchive, name: WheelName, rewrite: Rewrite) -> Plan:
        """Plan the rewrite; raise VariantPublishError where the archive is no sound wheel, or is signed."""
        wheel = WholeWheel.of(archive, name, variant_json=False)
        _refuse_unsound(archive, wheel, rewrite)
        new_name = rewrite.name_of(name)
        renames = _renames(archive, wheel, new_name)
        changes = _changes(wheel, rewrite, renames, new_name)
        directory = archive.directory
        info = directory.inside(wheel.dist_info)
        touched = {index for old, index in info.items() if old in renames or old in changes}
        if renames:
            touched |= {index for index, old in enumerate(directory.names) if old in renames}
        in_order = ((index, directory.names[index]) for index in sorted(touched, key=directory.offsets.__getitem__))
        renamed = {index: renames[old] for index, old in in_order if old in renames and renames[old] not in changes}
        like = directory.member(info[f"{wheel.dist_info}/WHEEL"])
        old_names = {new: old for old, new in renames.items()}
        models = {path: info.get(old_names.get(path, path)) for path in changes}
        added = {
            path: (content, like if (index := models[path]) is None else directory.member(index))
            for path, content in changes.items()
            if content is not None
        }
        return cls(frozenset(touched), renamed, added, *_timestamp(like))

    @property
    def is_change(self) -> bool:
        """Return whether any member changes."""
        return bool(self.touched or self.added)

    def lay_out(self, archive: RawArchive) -> Layout:
        """Look at every local header; raise InvalidArchive where one lies."""
        directory, ends = archive.directory, archive.ends()
        kept = [index for index in directory.order if index not in self.touched]
        staying = cut = 0
        for index in directory.order:
            if index in self.touched or directory.offsets[index] != cut:
                break
            staying, cut = staying + 1, ends[index]
        return Layout(kept, ends, staying, cut)

    def write(
        self, archive: RawArchive, layout: Layout, sink: Sink, advance: Advance, *, in_place: bool = False
    ) -> None:
        """Write the new archive to the sink; if `in_place`, only what lies behind the cut."""
        packed = [
            Packed.of(name, content, like, date=self.date, time=self.time)
            for name, (content, like) in self.added.items()
        ]
        writer = RawWriter(sink)
        staying = layout.staying if in_place else 0
        writer.keep(archive.directory, layout.kept[:staying])
        writer.copy(archive, layout.kept[staying:], layout.ends, advance)
        for index, name in self.renamed.items():
            writer.copy_renamed(archive, archive.directory.member(index), name, advance)
        for new in packed:
            writer.add(new)
        writer.finish(archive.directory.comment)


def _refuse_unsound(archive: RawArchive, wheel: WholeWheel, rewrite: Rewrite) -> None:
    if len(set(wheel.members)) != len(wheel.members):
        raise InvalidArchive(archive.path, "lists a member twice", hint="build the wheel again: installers refuse it")
    names = "\n".join(("", *wheel.members, ""))
    if any(odd in names for odd in _ODD) and (outside := list(filter(_leads_outside, wheel.members))):
        raise InvalidArchive(
            archive.path, f"has the member {outside[0]!r}, which leads outside", hint="do not trust it; build it again"
        )
    if wheel.record_text is None:
        raise InvalidArchive(archive.path, f"has no {wheel.dist_info}/RECORD", hint="build the wheel again")
    signed = [file for file in SIGNATURES if f"{wheel.dist_info}/{file}" in wheel.members]
    if signed and not rewrite.drop_signatures:
        raise VariantPublishError(
            f"{archive.path} is signed ({signed[0]}), and a rewrite makes the signature wrong",
            hint="sign the wheel after retagging it, or drop the signature with --drop-signatures",
        )


def _leads_outside(member: str) -> bool:
    parts = member.replace("\\", "/").split("/")
    return not parts[0] or parts[0][1:2] == ":" or ".." in parts or "\0" in member


def _renames(archive: RawArchive, wheel: WholeWheel, new_name: WheelName) -> dict[str, str]:
    """Return old -> new member names of the dist-info and .data folders, where name or version changes."""
    distribution = new_name.plain.distribution
    version = wheel.dist_info.removesuffix(".dist-info").rpartition("-")[2]
    if new_name.version != wheel.name.version:
        version = new_name.version
    elif distribution == wheel.name.plain.distribution:
        return {}
    folders = {wheel.dist_info: f"{distribution}-{version}.dist-info"}
    for folder in top_folders(archive.directory, ".data"):
        if canonicalize_name(folder.removesuffix(".data").rpartition("-")[0]) == wheel.name.project:
            folders[folder] = f"{distribution}-{version}.data"
    renames = {}
    for member in wheel.members:
        top, separator, rest = member.partition("/")
        if top in folders and separator:
            renames[member] = f"{folders[top]}/{rest}"
    if taken := sorted(set(renames.values()) & set(wheel.members)):
        raise InvalidArchive(archive.path, f"holds {taken[0]!r} already", hint="choose another name with --rename")
    return renames


def _changes(
    wheel: WholeWheel, rewrite: Rewrite, renames: Mapping[str, str], new_name: WheelName
) -> dict[str, bytes | None]:
    """Return the new content of every member that changes, by its new name; None drops it; RECORD comes last."""
    info = renames.get(f"{wheel.dist_info}/WHEEL", f"{wheel.dist_info}/WHEEL").rpartition("/")[0]
    metadata = wheel.metadata
    if rewrite.rename is not None and rewrite.rename.applies_to(wheel.name):
        metadata = metadata.renamed(rewrite.rename.old, rewrite.rename.new)
    if new_name.version != wheel.name.version:
        metadata = metadata.with_version(new_name.version)
    metadata = metadata.with_requires(add=rewrite.add, remove=rewrite.remove)
    if rewrite.markers is not None:
        with naming(wheel.path, VariantPublishError):
            metadata = metadata.for_variant(rewrite.markers)
    pins = tuple(sorted({*wheel.pins, *rewrite.pins}, key=str))
    tagged = rewrite.dialect is not None and not rewrite.dialect.plain_installers_read
    metadata = _with_pins(metadata, pins, tagged=tagged)
    abi_requires = "".join(f"{pin}\n" for pin in pins).encode() if pins and not tagged else None
    files: dict[str, bytes | None] = {
        "METADATA": bytes(metadata),
        "WHEEL": bytes(wheel.wheel_file.with_tags(_tag_lines(wheel, new_name))),
        ABI_REQUIRES: abi_requires,
        **({} if rewrite.keep_own_files else dict.fromkeys(own_files())),
        **rewrite.files,
        **(dict.fromkeys(SIGNATURES) if rewrite.drop_signatures else {}),
    }
    changes = {
        f"{info}/{file}": content
        for file, content in files.items()
        if content != wheel.info.get(file) or (content is not None and new_name.version != wheel.name.version)
    }
    if wheel.record_text is not None and (changes or renames):
        with naming(wheel.path, VariantPublishError):
            changes[f"{info}/RECORD"] = edit_record(wheel.record_text, renames, changes)
    return changes


def _tag_lines(wheel: WholeWheel, new_name: WheelName) -> tuple[str, ...]:
    """Return the new Tag lines, in the order of the old ones where those agreed with the old name."""
    new = dict(zip(wheel.name.tag_lines(), new_name.tag_lines(), strict=True))
    if set(wheel.wheel_file.tags) == new.keys() and len(wheel.wheel_file.tags) == len(new):
        return tuple(new[tag] for tag in wheel.wheel_file.tags)
    return tuple(new.values())


def _with_pins(metadata: Metadata, pins: tuple[TaggedRequirement, ...], *, tagged: bool) -> Metadata:
    """Write the pins as the readers of the wheel understand them.

    Only variant-aware tools read a wheel with extra tags, so its METADATA has them in full; anybody reads the others,
    and today's tools refuse `numpy+pypi==2.0.0`: those get the plain requirement, and abi-requires.txt has the rest.
    """
    for pin in pins:
        full, plain = str(pin), str(pin.plain)
        wanted, other = (full, plain) if tagged else (plain, full)
        metadata = metadata.replaced(other, wanted).with_requires(add=(wanted,))
    return metadata


def _timestamp(member: Member) -> tuple[int, int]:
    """Return the DOS date and time for changed members."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return member.date, member.time
    try:
        moment = time.gmtime(max(int(epoch), 315532800))  # ZIP has no time before 1980
    except (ValueError, OverflowError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH {epoch!r} is not a number of seconds", hint="unset it") from error
    year, month, day, hour, minute, second = moment[:6]
    return ((year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2)
