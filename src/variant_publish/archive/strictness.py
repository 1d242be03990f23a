"""What strict readers of archives refuse: uv streams them, and two readers must not see two different wheels."""

from __future__ import annotations

from variant_publish.archive.zipraw import DEFLATED, DESCRIPTOR, STORED, InvalidArchive, RawArchive


def laxities(archive: RawArchive) -> list[str]:
    """Return what is not strict: odd compression, and bytes that belong to no entry or to two."""
    faults = [
        f"compresses {member.name!r} with method {member.method}"
        for member in archive.directory.members
        if member.method not in (STORED, DEFLATED)
    ]
    faults += [
        f"stores {member.name!r} uncompressed with a data descriptor"
        for member in archive.directory.members
        if member.method == STORED and member.flags & DESCRIPTOR
    ]
    directory = archive.directory
    try:
        ends = archive.ends()
    except InvalidArchive as error:
        return [*faults, error.message.removeprefix(f"{archive.path} ")]
    starts = [*(directory.offsets[index] for index in directory.order), directory.start]
    stops = [0, *(ends[index] for index in directory.order)]
    gaps = [(stop, start) for stop, start in zip(stops, starts, strict=True) if stop != start]
    return [*faults, *(f"has {start - stop} bytes at offset {stop} that belong to no entry" for stop, start in gaps)]
