"""Rewrite a wheel under another name: variant, project, requirements; everything else is copied raw, or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from variant_publish.archive.atomic import creating, replacing
from variant_publish.archive.digest import SUFFIX, sha256_of, write_digest
from variant_publish.archive.journal import Journal
from variant_publish.archive.plan import Plan
from variant_publish.archive.rewrite import Rename, Rewrite
from variant_publish.archive.transfer import Sink
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.zipraw import open_archive
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.progress import Advance

__all__ = ["Measured", "Rename", "Retagged", "Rewrite", "measure", "retag", "retag_in_place"]

_SMALL_TAIL = 64 * 1024 * 1024
"""Bytes behind the first change that are always rewritten in place: twice this is written, once to the journal."""


class Retagged(msgspec.Struct, frozen=True):
    """One result: `source` became `path`; `existed` where the same bytes were there before.

    `sha256` is the hash of the new wheel where it was asked for; `note` says what went another way than usual.
    """

    source: Path
    path: Path
    existed: bool
    sha256: str | None = None
    note: str = ""


class Measured(msgspec.Struct, frozen=True):
    """What a rewrite would give, without its bytes: file name, size in bytes, hash, and its METADATA."""

    name: WheelName
    size: int
    sha256: str
    metadata: bytes


def ignore(count: int) -> None:
    """Take no notice of progress."""


def retag(source: Path, folder: Path, rewrite: Rewrite, advance: Advance = ignore, *, digest: bool = False) -> Retagged:
    """Rewrite the wheel `source` into `folder` and give its place; with `digest` also its hash, beside it.

    Raises VariantPublishError where the source is no sound wheel, is signed, or where another file has the new name;
    then nothing is left behind.
    """
    name = WheelName.parse(source.name)
    target = folder / str(rewrite.name_of(name))
    with open_archive(source) as archive:
        plan = Plan.of_archive(archive, name, rewrite)
        existed = target.exists()
        hasher = hashlib.sha256() if digest else None
        with creating(target) as stream:
            plan.write(archive, plan.lay_out(archive), Sink(stream.fileno(), digest=hasher), advance)
    return Retagged(source, target, existed, write_digest(target, hasher.hexdigest()) if hasher else None)


def measure(wheel: WholeWheel, rewrite: Rewrite, advance: Advance = ignore) -> Measured:
    """Go through the rewrite of a wheel as `retag` does, without a file; the source is read once.

    Raises what `retag` raises for a source that is no sound wheel, or is signed.
    """
    hasher = hashlib.sha256()
    with open_archive(wheel.path) as archive, Path(os.devnull).open("wb") as nowhere:
        plan = Plan.of_archive(archive, wheel.name, rewrite)
        sink = Sink(nowhere.fileno(), digest=hasher)
        plan.write(archive, plan.lay_out(archive), sink, advance)
    added = {path.rpartition("/")[2]: content for path, (content, _) in plan.added.items()}
    metadata = added.get("METADATA", wheel.info["METADATA"])
    return Measured(rewrite.name_of(wheel.name), sink.position, hasher.hexdigest(), metadata)


def retag_in_place(source: Path, rewrite: Rewrite, advance: Advance = ignore, *, digest: bool = False) -> Retagged:
    """Return the wheel `source` its new name and rewrite only what lies behind its first changed member.

    A small journal beside it makes that safe against a kill at any moment (see `journal`). Where nearly the whole
    wheel lies behind the change (dist-info comes first), or where other names share its bytes (links), this would cost
    more than it saves or change what is not ours: then the wheel is copied beside, and the old one removed.
    """
    name = WheelName.parse(source.name)
    target = source.with_name(str(rewrite.name_of(name)))
    if target != source and target.exists():
        raise VariantPublishError(f"{target} exists already", hint="remove it, or retag into another folder with -o")
    with open_archive(source) as archive:
        plan = Plan.of_archive(archive, name, rewrite)
        if not plan.is_change and target == source:
            return Retagged(source, target, existed=True, sha256=_hash_of(target) if digest else None)
        source.with_name(source.name + SUFFIX).unlink(missing_ok=True)
        layout = plan.lay_out(archive)
        reason = _why_not_in_place(source, archive.size, layout.cut)
        if reason:
            with replacing(target) if target == source else creating(target) as stream:
                plan.write(archive, layout, Sink(stream.fileno()), advance)
        else:
            with Journal.create(source) as journal:
                plan.write(archive, layout, Sink(journal.descriptor, start=layout.cut), advance, in_place=True)
                journal.seal(target.name, layout.cut)
                archive.close()  # Windows renames no open file
                journal.begin()
                journal.finish()
    if reason and target != source:
        source.unlink()
    return Retagged(source, target, existed=False, sha256=_hash_of(target) if digest else None, note=reason)


def _why_not_in_place(source: Path, size: int, cut: int) -> str:
    if size - cut > max(_SMALL_TAIL, size // 4):
        return f"{source.name} was copied: {size - cut} of its {size} bytes lie behind the first change"
    if source.is_symlink() or source.stat().st_nlink > 1:
        return f"{source.name} was copied: its bytes have other names (links), which must not change"
    return ""


def _hash_of(wheel: Path) -> str:
    return write_digest(wheel, sha256_of(wheel))
