"""Rules 1xx: a file is a sound wheel, and says inside what its name says."""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.archive.dist_info import SIGNATURES
from variant_publish.archive.wheel import ArchiveWheel, DescribedWheel, WholeWheel
from variant_publish.archive.zipraw import laxities
from variant_publish.check.engine.context import Context, Folder
from variant_publish.check.engine.rule import FolderRule, Outcome, Problems, Severity, WheelRule, some
from variant_publish.dialects.base import PartialTagSet
from variant_publish.errors import VariantPublishError
from variant_publish.formats.record import Record
from variant_publish.formats.variants_json import WHEEL_FILE
from variant_publish.formats.wheel_file import BUILD
from variant_publish.release.release import Unreadable

_REBUILD = "build the wheel again"
_RETAG = "make it with 'variant-publish retag', which writes both"
_DRIVE = re.compile(r"[A-Za-z]:")
_HASHES = ("sha256=", "sha384=", "sha512=")


class _UnreadableRule(FolderRule):
    """Report the files that could not be read and are this rule's own: with a partial tag set, or not."""

    of_tag_sets: ClassVar[bool]

    def check(self, folder: Folder) -> Iterator[Outcome]:
        """Yield a failure for each file of ours, and a pass for each wheel that was read."""
        for file in folder.loaded.unreadable:
            if isinstance(file.error, PartialTagSet) is self.of_tag_sets:
                yield _unreadable(file)
        for release in folder.loaded.releases:
            yield from (Outcome.passed() for _ in release.wheels)


class Readable(_UnreadableRule):
    """Prove that each file named as a wheel is one: a ZIP archive with one dist-info of its own and a proper name.

    Installers give up on such a file, or never see it, so it is reported instead of being left out.
    """

    id = "VP101"
    of_tag_sets = False


class WholeTagSet(_UnreadableRule):
    """Prove that an extra tag stands on every member of a compressed tag set.

    pip reads `manylinux_2_17_x86_64.manylinux2014_x86_64+cu128` as "generic or cu128" and installs the wheel on any
    machine, as if it were generic.
    """

    id = "VP102"
    of_tag_sets = True


class VariantTags(WheelRule[DescribedWheel]):
    """Prove that the Tag lines of a variant wheel are those of its name, and that a plain wheel has no extra tag.

    Tools that read WHEEL instead of the name must not take one variant for another.
    """

    id = "VP103"
    hint = _RETAG

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the expanded tags; of a plain wheel, only whether there are extra ones."""
        inside = _tags(wheel)
        if wheel.name.dialect is None:
            if extra := sorted(tag for tag in inside if "+" in tag):
                yield f"WHEEL has the extra tags of a variant ({some(extra)}), the file name has none"
        elif inside != set(wheel.name.tag_lines()):
            yield _tag_difference(wheel)


class PlainTags(WheelRule[DescribedWheel]):
    """Prove that the Tag lines of a plain wheel are those of its name.

    Real projects rename wheels by hand and leave `linux_x86_64` inside (cupy and vllm do): installers go by the name,
    so this is a warning.
    """

    id = "VP104"
    severity = Severity.WARNING

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave variant wheels to VP103."""
        return "VP103 looks at the tags of variant wheels" if wheel.name.dialect else None

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the expanded tags without extra ones, which are VP103's."""
        if {tag.partition("+")[0] for tag in _tags(wheel)} != set(wheel.name.tag_lines()):
            yield _tag_difference(wheel), f"rename it with 'wheel tags' or 'auditwheel repair', or {_REBUILD}"


class Identity(WheelRule[DescribedWheel]):
    """Prove that dist-info folder and METADATA name the project and version of the file name.

    Installers refuse a wheel whose dist-info or METADATA is of another project or version.
    """

    id = "VP105"
    hint = _REBUILD

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare normalised names and versions."""
        folder, _, version = wheel.dist_info.removesuffix(".dist-info").rpartition("-")
        for place, project, text in (
            (f"the folder {wheel.dist_info}", folder, version),
            ("METADATA", wheel.metadata.name, wheel.metadata.version),
        ):
            if canonicalize_name(project) != wheel.name.project:
                yield f"{place} is of project {project!r}, the file name of {wheel.name.plain.distribution!r}"
            if not _is_version(text, wheel.name.parsed_version):
                yield f"{place} is of version {text!r}, the file name of {wheel.name.version!r}"


class CompleteRecord(WheelRule[ArchiveWheel]):
    """Prove that RECORD lists every file once, with a hash and its size, and none that is not there.

    PyPI refuses a wheel whose RECORD does not match, and an uninstall leaves behind what RECORD does not list. RECORD
    itself, its signatures and folder entries need no row. The hashes themselves are not computed here.
    """

    id = "VP106"
    hint = _REBUILD

    def problems(self, wheel: ArchiveWheel, context: Context) -> Problems:
        """Compare RECORD with the archive's directory."""
        if wheel.record is None:
            yield f"there is no {wheel.dist_info}/RECORD"
            return
        exempt = {f"{wheel.dist_info}/{file}" for file in ("RECORD", *SIGNATURES)}
        members = (member for member in wheel.directory.members if not member.is_folder)
        files = {member.name: member for member in members if member.name not in exempt}
        rows = {row.path: row for row in wheel.record.rows if row.path not in exempt and not row.path.endswith("/")}
        weak = [path for path, row in rows.items() if not row.digest.startswith(_HASHES)]
        sizes = [path for path in files.keys() & rows.keys() if rows[path].size not in ("", str(files[path].size))]
        for what, names in (
            ("does not list", files.keys() - rows.keys()),
            ("lists what is not in the archive:", rows.keys() - files.keys()),
            ("lists twice", _twice(wheel.record)),
            ("has no SHA-256 or better for", weak),
            ("has another size than the archive for", sizes),
        ):
            if names:
                yield f"RECORD {what} {some(sorted(names))}"


class StrictArchive(WheelRule[WholeWheel]):
    """Prove that the archive is free of gaps, overlaps, duplicates and odd compression.

    uv streams archives and refuses bytes that belong to no entry, a member listed twice, stored members with data
    descriptors, and everything that could make two readers see two different wheels.
    """

    id = "VP107"
    hint = _REBUILD

    def problems(self, wheel: WholeWheel, context: Context) -> Problems:
        """Look for duplicate names, and for what the local entries tell."""
        if twice := [name for name, count in Counter(wheel.members).items() if count > 1]:
            yield f"the archive has {some(twice)} twice"
        with wheel.open() as archive:
            faults = laxities(archive)
        for fault in faults:
            yield f"the archive {fault}", "write it again, for example with 'wheel unpack' and 'wheel pack'"


class SafePaths(WheelRule[ArchiveWheel]):
    """Prove that no member leaves the folder that the wheel is unpacked into.

    Absolute paths, `..`, backslashes, drive letters and symbolic links are how an archive writes where it should not;
    uv and pip refuse them.
    """

    id = "VP108"
    hint = _REBUILD

    def problems(self, wheel: ArchiveWheel, context: Context) -> Problems:
        """Look at every name, and at the file type that the archive gives."""
        members = wheel.directory.members
        if unsafe := [repr(member.name) for member in members if not _is_safe(member.name)]:
            yield f"members have names that lead outside: {some(unsafe)}"
        if links := [repr(member.name) for member in members if stat.S_ISLNK(member.external_attributes >> 16)]:
            yield f"members are symbolic links: {some(links)}", f"{_REBUILD} with the files themselves"


class OwnVariantJson(WheelRule[DescribedWheel]):
    """Prove that a labelled wheel carries variant.json with exactly its label, and that no other wheel has one.

    uv drops the whole version for a labelled wheel without the file, or with another label in it.
    """

    id = "VP109"
    hint = _RETAG

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the label in the name with the labels in the file."""
        labels = [] if wheel.variant_json is None else list(wheel.variant_json.variants)
        label = wheel.name.label
        if WHEEL_FILE not in wheel.name.own_files:
            if wheel.variant_json is not None:
                hint = "give it its label, or take the file out with 'variant-publish retag --remove'"
                yield f"it has {WHEEL_FILE} ({some(labels)}), but no label in its name", hint
        elif wheel.variant_json is None:
            yield f"it has the label {label!r} and no {wheel.dist_info}/{WHEEL_FILE}"
        elif labels != [label]:
            yield f"its label is {label!r}, and {WHEEL_FILE} is of {some(map(repr, labels)) or 'no label'}"


class DeclaredProperties(WheelRule[DescribedWheel]):
    """Prove that a labelled wheel has the properties that the configuration gives its variant.

    A wheel that was labelled before the configuration changed would be offered to the wrong machines.
    """

    id = "VP110"
    hint = "retag the wheel, or correct the properties in the configuration"

    def not_for(self, wheel: DescribedWheel, context: Context) -> str | None:
        """Leave out wheels without properties of their own, and variants that nobody declared."""
        if wheel.name.serves_everyone or WHEEL_FILE not in wheel.name.own_files:
            return "only labelled wheels have properties"
        if wheel.variant_json is None or wheel.name.label not in wheel.variant_json.variants:
            return "VP109 reports that variant.json lacks the label"
        if context.release.variant_of(wheel.name) not in context.release.config.variants:
            return "the configuration does not declare the variant"
        return None

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the two sets."""
        variant = context.release.config.variants[context.release.variant_of(wheel.name)]
        inside = set(wheel.variant_json.variants[variant.label].items) if wheel.variant_json else set()
        declared = set(variant.properties.items)
        if inside != declared:
            parts = [
                f"{what} {some(map(str, sorted(items)))}"
                for what, items in (("it lacks", declared - inside), ("it adds", inside - declared))
                if items
            ]
            yield f"the properties of {variant.label!r} are not those of the configuration: {'; '.join(parts)}"


class BuildNumber(WheelRule[DescribedWheel]):
    """Prove that WHEEL and file name give the same build number.

    Installers go by the name; the line in WHEEL is for people who ask which of two builds they have.
    """

    id = "VP111"
    severity = Severity.WARNING

    def problems(self, wheel: DescribedWheel, context: Context) -> Problems:
        """Compare the Build line with the build tag."""
        inside = wheel.wheel_file.values(BUILD)
        named = (wheel.name.plain.build,) if wheel.name.plain.build else ()
        if inside != named:
            yield (
                f"WHEEL has {_build(inside)}, the file name has {_build(named)}",
                f"rename it with 'wheel tags --build', or {_REBUILD}",
            )


def _unreadable(file: Unreadable) -> Outcome:
    error: VariantPublishError = file.error
    # The finding names the file already; the errors of archives begin with its path, those of names with its name.
    message = error.message.removeprefix(str(file.path)).removeprefix(repr(file.path.name)).lstrip(": ")
    return Outcome.failed(message, error.hint or _REBUILD, file=file.path.name)


def _tags(wheel: DescribedWheel) -> set[str]:
    """Return the expanded tags of WHEEL, and lines that are no tags as they are."""
    return {*wheel.wheel_file.expanded_tags(), *(line for line in wheel.wheel_file.tags if line.count("-") != 2)}


def _tag_difference(wheel: DescribedWheel) -> str:
    inside, named = _tags(wheel), set(wheel.name.tag_lines())
    return f"WHEEL has {_tags_of(inside - named)}, the file name {_tags_of(named - inside)}"


def _tags_of(tags: set[str]) -> str:
    return some(sorted(tags)) or "nothing more"


def _is_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _twice(record: Record) -> list[str]:
    return [path for path, count in Counter(row.path for row in record.rows).items() if count > 1]


def _is_safe(name: str) -> bool:
    if not name or name.startswith("/") or "\\" in name or "\0" in name or _DRIVE.match(name):
        return False
    return ".." not in name.split("/")


def _build(values: Iterable[str]) -> str:
    return f"build {', '.join(values)}" if values else "no build number"
