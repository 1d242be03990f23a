"""Write a selector sdist: NAME-VERSION.tar.gz (PEP 517, 625 and 721), the same bytes for the same contents."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from variant_publish.archive.atomic import replacing
from variant_publish.errors import UsageError
from variant_publish.stub.contents import Contents
from variant_publish.templating import templates_folder

BACKEND = ("pyproject.toml", "variant_publish_stub.py")

_EPOCH = 1580601600
"""2020-02-02, as hatchling has it where SOURCE_DATE_EPOCH is not set."""


def write_sdist(contents: Contents, folder: Path) -> Path:
    """Write the archive and give its place; embedded wheels are read from where they are.

    Raises UsageError for a SOURCE_DATE_EPOCH that is no number.
    """
    top = f"{contents.distribution}-{contents.version}"
    target = folder / f"{top}.tar.gz"
    moment = _moment()
    with (
        replacing(target) as raw,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, size, stream in _members(contents):
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size, member.mtime, member.mode = size, moment, 0o644
            with stream:
                archive.addfile(member, stream)
    return target


def _members(contents: Contents) -> Iterator[tuple[str, int, BinaryIO]]:
    texts = dict(contents.texts)
    for file in BACKEND:
        texts[file] = (templates_folder() / "stub" / file).read_bytes()
    for path in sorted(texts):
        yield path, len(texts[path]), io.BytesIO(texts[path])
    for path, item in sorted(contents.embedded.items()):
        yield path, item.size, item.path.open("rb")


def _moment() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return int(text) if text is not None else _EPOCH
    except ValueError as error:
        raise UsageError(f"SOURCE_DATE_EPOCH {text!r} is not a number of seconds", hint="unset it") from error
