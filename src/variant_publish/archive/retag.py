"""Rewrite a wheel under another name: variant, project, requirements; everything else is copied raw.

The output is gap-free and deterministic: kept local entries back to back in their old order, renamed ones, changed and
new dist-info files, RECORD, central directory. Changed files carry the time of the old WHEEL file, or that of
SOURCE_DATE_EPOCH where the environment sets it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from variant_publish.archive.atomic import creating
from variant_publish.archive.wheel import ABI_REQUIRES, SIGNATURES, Wheel, top_folders
from variant_publish.archive.zipraw import InvalidArchive, Member, RawArchive, RawWriter, open_archive
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.wheel_name import WheelName
from variant_publish.progress import SILENT, Reporter


@dataclass(frozen=True, slots=True)
class Rename:
    """Fold the project `old` into the project `new`; `new` is spelled as METADATA shall have it."""

    old: str
    new: str

    @classmethod
    def parse(cls, text: str) -> Rename:
        """Parse `OLD=NEW`."""
        old, separator, new = text.partition("=")
        if not separator or not old.strip() or not new.strip():
            raise UsageError(f"--rename {text!r} is not OLD=NEW", hint="write it like xgboost-cpu=xgboost")
        return cls(old.strip(), new.strip())

    def applies_to(self, name: WheelName) -> bool:
        """Say whether the wheel is one of the project `old`."""
        return name.project == canonicalize_name(self.old)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Hold what the new wheel shall be: without extra tags and label, a generic one.

    `variant_json` is what a labelled wheel carries: exactly its label. `pins` come on top of those that the wheel has
    already; they are written as the target's readers understand them (see `_with_pins`).
    """

    extra_tags: tuple[str, ...] = ()
    label: str | None = None
    variant_json: VariantsMetadata | None = None
    rename: Rename | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    pins: tuple[TaggedRequirement, ...] = ()
    drop_signatures: bool = False

    def __post_init__(self) -> None:
        if (self.label is None) != (self.variant_json is None):
            raise UsageError("a label and variant.json belong together", hint="give both, or neither")

    def name_of(self, name: WheelName) -> WheelName:
        """Give the file name of the new wheel."""
        renamed = name.renamed(self.rename.new) if self._renames(name) and self.rename else name
        return renamed.with_variant(extra_tags=self.extra_tags, label=self.label)

    def _renames(self, name: WheelName) -> bool:
        return self.rename is not None and self.rename.applies_to(name)


@dataclass(frozen=True, slots=True)
class Retagged:
    """Hold one result: `source` became `path`; `existed` where the same bytes were there before."""

    source: Path
    path: Path
    existed: bool


def retag(source: Path, folder: Path, rewrite: Rewrite, reporter: Reporter = SILENT) -> Retagged:
    """Write the wheel `source` anew into `folder` and give its place.

    Raises VariantPublishError where the source is no sound wheel, is signed, or where another file has the new name;
    then nothing is left behind.
    """
    name = WheelName.parse(source.name)
    target = folder / str(rewrite.name_of(name))
    with open_archive(source) as archive, reporter.track(target.name, archive.size) as advance:
        wheel = Wheel.of_archive(archive, name)
        _refuse_unsound(archive, wheel, rewrite)
        renames = _renames(archive, wheel, rewrite, target)
        changes = _changes(wheel, rewrite, renames, target)
        existed = target.exists()
        with creating(target) as stream:
            writer = RawWriter(stream.fileno())
            members = {member.name: member for member in archive.directory.members}
            gone = {old for old in members if renames.get(old, old) in changes}
            spans = archive.spans()
            writer.copy(archive, [s for s in spans if s.member.name not in gone | renames.keys()], advance)
            for span in spans:
                if span.member.name in renames and span.member.name not in gone:
                    writer.copy_renamed(archive, span, renames[span.member.name], advance)
            like = members[f"{wheel.dist_info}/WHEEL"]
            date, moment = _timestamp(like)
            old_names = {new: old for old, new in renames.items()}
            for path, content in changes.items():
                if content is not None:
                    model = members.get(old_names.get(path, path), like)
                    writer.add(path, content, model, date=date, time=moment)
            writer.finish(archive.directory.comment)
    return Retagged(source, target, existed)


def _refuse_unsound(archive: RawArchive, wheel: Wheel, rewrite: Rewrite) -> None:
    if len(set(wheel.members)) != len(wheel.members):
        raise InvalidArchive(archive.path, "lists a member twice", hint="build the wheel again: installers refuse it")
    if wheel.record is None:
        raise InvalidArchive(archive.path, f"has no {wheel.dist_info}/RECORD", hint="build the wheel again")
    signed = [file for file in SIGNATURES if f"{wheel.dist_info}/{file}" in wheel.members]
    if signed and not rewrite.drop_signatures:
        raise VariantPublishError(
            f"{archive.path} is signed ({signed[0]}), and a rewrite makes the signature wrong",
            hint="sign the wheel after retagging it, or drop the signature with --drop-signatures",
        )


def _renames(archive: RawArchive, wheel: Wheel, rewrite: Rewrite, target: Path) -> dict[str, str]:
    """Give old -> new member names of the dist-info and .data folders, where the project's name changes."""
    distribution = WheelName.parse(target.name).distribution
    if distribution == wheel.name.distribution:
        return {}
    version = wheel.dist_info.removesuffix(".dist-info").rpartition("-")[2]
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


def _changes(wheel: Wheel, rewrite: Rewrite, renames: Mapping[str, str], target: Path) -> dict[str, bytes | None]:
    """Give the new content of every member that changes, by its new name; None drops it; RECORD comes last."""
    new_name = WheelName.parse(target.name)
    info = renames.get(f"{wheel.dist_info}/WHEEL", f"{wheel.dist_info}/WHEEL").rpartition("/")[0]
    metadata = wheel.metadata
    if rewrite.rename is not None and rewrite.rename.applies_to(wheel.name):
        metadata = metadata.renamed(rewrite.rename.old, rewrite.rename.new)
    metadata = metadata.with_requires(add=rewrite.add, remove=rewrite.remove)
    pins = tuple(sorted({*wheel.pins, *rewrite.pins}, key=str))
    metadata = _with_pins(metadata, pins, tagged=bool(rewrite.extra_tags))
    abi_requires = "".join(f"{pin}\n" for pin in pins).encode() if pins and not rewrite.extra_tags else None
    files: dict[str, bytes | None] = {
        "METADATA": bytes(metadata),
        "WHEEL": bytes(wheel.wheel_file.with_tags(_tag_lines(wheel, new_name))),
        ABI_REQUIRES: abi_requires,
        WHEEL_FILE: rewrite.variant_json.dumps().encode() if rewrite.variant_json else None,
        **(dict.fromkeys(SIGNATURES) if rewrite.drop_signatures else {}),
    }
    changes = {f"{info}/{file}": content for file, content in files.items() if content != wheel.info.get(file)}
    if wheel.record is not None and (changes or renames):
        changes[f"{info}/RECORD"] = bytes(wheel.record.rewritten(renames, changes))
    return changes


def _tag_lines(wheel: Wheel, new_name: WheelName) -> tuple[str, ...]:
    """Give the new Tag lines, in the order of the old ones where those agreed with the old name."""
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
    """Give the DOS date and time for changed members."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return member.date, member.time
    try:
        moment = time.gmtime(max(int(epoch), 315532800))  # ZIP knows no time before 1980
    except (ValueError, OverflowError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH {epoch!r} is not a number of seconds", hint="unset it") from error
    year, month, day, hour, minute, second = moment[:6]
    return ((year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2)
