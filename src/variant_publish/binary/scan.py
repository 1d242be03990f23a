"""Scan a wheel: one pass, each member inflated once, hashed, and looked into where it is an executable file."""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from variant_publish.archive.wheel import Wheel
from variant_publish.archive.zipraw import DEFLATED, STORED, InvalidArchive, Member, RawArchive, open_archive
from variant_publish.binary.elf import Elf
from variant_publish.binary.fatbin import DeviceImages
from variant_publish.binary.image import Buffer, Format, Image, InvalidBinary, format_of
from variant_publish.binary.macho import macho_image
from variant_publish.binary.pe import pe_image
from variant_publish.binary.x86 import SAMPLE, Simd, sample
from variant_publish.formats.record import RecordRow

_CHUNK = 1 << 20
_HEAD = 8
_SIMD_BUDGET = 32 * 1024 * 1024
"""Bytes of code that are disassembled in one wheel, however many libraries it has."""

NO_DEVICE = DeviceImages()

_NUMPY = re.compile(rb"\(NumPy ([0-9]+)\.([0-9]+)[^)\0]{0,16}\) but the running")
_NUMPY_API = re.compile(rb"numpy\.(?:_core|core)\._?multiarray")


@dataclass(frozen=True, slots=True)
class Binary:
    """What is inside one executable file of a wheel.

    `numpy` is the oldest NumPy that it was compiled to run with; `uses_numpy` says that it imports NumPy's C API, so
    None with it means that the compiler left no trace. `simd` is None where no x86-64 code was sampled; `fault` says
    why the file could not be understood.
    """

    path: str
    size: int
    image: Image
    device: DeviceImages = NO_DEVICE
    numpy: tuple[int, int] | None = None
    uses_numpy: bool = False
    simd: Simd | None = None
    fault: str | None = None

    @property
    def name(self) -> str:
        """Return the file's name without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def is_vendored(self) -> bool:
        """Return whether auditwheel, delocate or delvewheel have put it in: the project did not compile it."""
        folder = self.path.partition("/")[0]
        return folder.endswith(".libs") or "/.dylibs/" in f"/{self.path}"


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over a wheel has shown: its binaries, and the members whose bytes are not as they should be.

    `mismatches` are members with other bytes than RECORD says, `faults` what cannot be read at all.
    """

    binaries: tuple[Binary, ...] = ()
    mismatches: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def scan(wheel: Wheel, *, simd: bool = True) -> Scan:
    """Read every member once; memory is bounded by the largest binary. `simd` disassembles samples of x86-64 code.

    Raises InvalidArchive where the archive's directory cannot be read.
    """
    rows = {} if wheel.record is None else {row.path: row for row in wheel.record.rows if row.digest}
    binaries: list[Binary] = []
    mismatches: list[str] = []
    faults: list[str] = []
    budget = _SIMD_BUDGET if simd else 0
    with open_archive(wheel.path) as archive:
        for member in archive.directory.members:
            if member.is_folder:
                continue
            try:
                content, matches = _read(archive, member, rows.get(member.name))
            except InvalidArchive as error:
                faults.append(error.message.removeprefix(f"{wheel.path} "))
                continue
            if not matches:
                mismatches.append(member.name)
            if content is not None:
                binaries.append(binary := _binary(member.name, content, min(budget, SAMPLE)))
                budget = max(0, budget - min(binary.size, SAMPLE))
    return Scan(tuple(binaries), tuple(mismatches), tuple(faults))


def _binary(path: str, data: Buffer, simd: int) -> Binary:
    kind = format_of(data[:_HEAD]) or Format.ELF
    try:
        elf = Elf(data) if kind is Format.ELF else None
        image = elf.image() if elf else pe_image(data) if kind is Format.PE else macho_image(data)
    except InvalidBinary as error:
        return Binary(path, len(data), Image(kind, ()), fault=error.message)
    numpy = _NUMPY.search(data) if image.modules else None
    return Binary(
        path,
        len(data),
        image,
        DeviceImages.of(data),
        (int(numpy[1]), int(numpy[2])) if numpy else None,
        bool(image.modules and (numpy or _NUMPY_API.search(data))),
        sample(elf, simd) if elf and simd else None,
    )


def _read(archive: RawArchive, member: Member, row: RecordRow | None) -> tuple[Buffer | None, bool]:
    """Return the content of an executable file (None of any other), and whether the bytes are those of RECORD."""
    algorithm, _, expected = row.digest.partition("=") if row else ("", "", "")
    digest = hashlib.new(algorithm) if algorithm in hashlib.algorithms_guaranteed else None
    size, crc, is_binary, content = 0, 0, False, bytearray()
    for chunk in _inflated(archive, member):
        if size == 0:
            is_binary = format_of(chunk[:_HEAD]) is not None
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        if digest is not None:
            digest.update(chunk)
        if is_binary:
            content += chunk
    if size != member.size or crc != member.crc:
        raise InvalidArchive(archive.path, f"is damaged: {member.name!r} does not match its checksum")
    matches = digest is None or urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == expected.rstrip("=")
    return content if is_binary else None, matches


def _inflated(archive: RawArchive, member: Member) -> Iterator[bytes]:
    """Return the content in pieces; a member that is longer than its directory says is cut off there."""
    place, left = archive.span(member).data, member.compressed_size
    if member.method not in (STORED, DEFLATED):
        raise InvalidArchive(archive.path, f"compresses {member.name!r} with method {member.method}, not deflate")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
    total = 0
    while left and total <= member.size:
        raw = archive.at(place, min(left, _CHUNK))
        place, left = place + len(raw), left - len(raw)
        while raw:
            try:
                piece = raw if inflater is None else inflater.decompress(raw, _CHUNK)
            except zlib.error as error:
                raise InvalidArchive(archive.path, f"is damaged: {member.name!r} does not inflate ({error})") from error
            raw = b"" if inflater is None else inflater.unconsumed_tail
            total += len(piece)
            if piece:
                yield piece
            if total > member.size:
                return
    if inflater is not None and (tail := inflater.flush()):
        yield tail
