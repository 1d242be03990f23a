"""A second opinion on a wheel: PyPA's own reader, which shares no code with the one that wrote it."""

from __future__ import annotations

from pathlib import Path

from variant_publish.errors import VariantPublishError

_CHUNK = 1 << 20


def read_back(path: Path) -> int:
    """Read every member of a wheel by `wheel`, which compares each with RECORD, and return how many there are.

    Raises VariantPublishError with what the reader says.
    """
    import zipfile
    import zlib

    from wheel.wheelfile import WheelError, WheelFile

    try:
        with WheelFile(path) as archive:
            members = archive.infolist()
            for member in members:
                with archive.open(member) as stream:
                    while stream.read(_CHUNK):  # the hash is compared at the end of the member
                        pass
    except (WheelError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError) as error:
        raise VariantPublishError(
            f"{path.name} cannot be read by the package 'wheel' ({error})",
            hint="do not publish it; report how it was made",
        ) from error
    return len(members)
