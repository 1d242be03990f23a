"""Scan a wheel: one pass, each member inflated once, hashed, and looked into where it is an executable file."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence

import msgspec

from variant_publish.archive.inflate import Inflater
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.zipraw import InvalidArchive
from variant_publish.binary.content import Buffer, apart_from, find, unpacked
from variant_publish.binary.elf import Elf
from variant_publish.binary.evidence import Evidence, EvidenceReader
from variant_publish.binary.fatbin import MAGIC, container_end
from variant_publish.binary.functions import FunctionTable, elf_functions, macho_functions, pe_functions
from variant_publish.binary.image import Format, Image, InvalidBinary, format_of
from variant_publish.binary.macho import macho_image, macho_slices
from variant_publish.binary.offload import ENDS
from variant_publish.binary.pe import Pe
from variant_publish.binary.x86 import SAMPLE, CodeSample, sample
from variant_publish.formats.record import RecordRow

_HEAD = 8
_HASHES = hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}
_SMALL = 32 * 1024 * 1024
_SIMD_BUDGET = 6 * 1024 * 1024
"""Bytes of code that are disassembled in one wheel, however many libraries it has."""

_NUMPY = rb"\(NumPy ([0-9]{1,4})\.([0-9]{1,4})[^)\0]{0,16}\) but the running"
_NUMPY_API = rb"numpy\.(?:_core|core)\._?multiarray"
_CONTAINERS = {MAGIC: container_end, **ENDS}
_OF_MODULES = (_NUMPY, _NUMPY_API)

FOR_SOME = re.compile(
    r"(?<![a-z])(avx|sse[0-9]|ssse|fma[0-9]?|f16c|bmi[0-9]?|adx|clmul|pclmul|aesni|shani|sha_ni|amx|haswell|skylake|icelake|"
    r"sapphire|alderlake|sandybridge|znver|zen[0-9]|bdver|x86_64_v[2-4]|v[34]|nehalem|westmere|cascadelake|cooperlake)"
)
"""What the names of libraries say that are loaded on some machines only."""


class Binary(msgspec.Struct, frozen=True):
    """What is inside one executable file of a wheel.

    `evidence` is what it shows of GPUs and the like. `numpy` is the oldest NumPy that it was compiled to run with;
    `uses_numpy` says that it imports NumPy's C API, so None with it means that the compiler left no trace. `simd` is
    None where no x86-64 code was sampled; `fault` says why the file could not be understood.
    """

    path: str
    size: int
    image: Image
    evidence: tuple[Evidence, ...] = ()
    numpy: tuple[int, int] | None = None
    uses_numpy: bool = False
    simd: CodeSample | None = None
    fault: str | None = None

    @property
    def name(self) -> str:
        """Return the file's name without its folder."""
        return self.path.rpartition("/")[2]

    def shows(self, namespace: str) -> Evidence:
        """Return the evidence of one namespace; empty where there is none."""
        return next((found for found in self.evidence if found.namespace == namespace), Evidence(namespace))

    @property
    def is_vendored(self) -> bool:
        """Return whether auditwheel, delocate or delvewheel have put it in: the project did not compile it."""
        folder = self.path.partition("/")[0]
        return folder.endswith(".libs") or "/.dylibs/" in f"/{self.path}"


class Scan(msgspec.Struct, frozen=True):
    """What one pass over a wheel has shown: its binaries, and the members whose bytes are not as they should be.

    `mismatches` are members with other bytes than RECORD says, `faults` what cannot be read at all.
    """

    binaries: tuple[Binary, ...] = ()
    mismatches: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def scan(wheel: WholeWheel, readers: Sequence[EvidenceReader], *, simd: bool = True, ahead: bool = False) -> Scan:
    """Read every member once, in memory that does not depend on their sizes.

    `readers` look for evidence in each binary. `simd` disassembles samples of x86-64 code, `ahead` inflates on
    a second core. Raises InvalidArchive where the archive's directory cannot be read.
    """
    rows = {} if wheel.record is None else {row.path: row for row in wheel.record.rows if row.digest}
    binaries: list[Binary] = []
    mismatches: list[str] = []
    faults: list[str] = []
    budget = _SIMD_BUDGET if simd else 0
    with wheel.open() as archive:
        inflater = Inflater(archive)
        for member in archive.directory.members:
            if member.is_folder:
                continue
            try:
                digest = _Digest(rows.get(member.name))
                with unpacked(inflater, member, digest, ahead=ahead) as content:
                    if content is not None:
                        binaries.append(binary := _binary(member.name, content, readers, min(budget, SAMPLE)))
                        budget = max(0, budget - min(binary.size, SAMPLE))
            except InvalidArchive as error:
                faults.append(error.message.removeprefix(f"{wheel.path} "))
            else:
                if not digest.matches:
                    mismatches.append(member.name)
    return Scan(tuple(binaries), tuple(mismatches), tuple(dict.fromkeys(faults)))


def _binary(path: str, data: Buffer, readers: Iterable[EvidenceReader], simd: int) -> Binary:
    try:
        image, functions = _opened(data)
        counts = sample(functions, image.imports, simd) if functions and simd else None
    except InvalidBinary as error:
        kind = format_of(data[:_HEAD]) or Format.ELF
        return Binary(path, len(data), Image(kind, ()), fault=error.message)
    patterns = [pattern for reader in readers for pattern in reader.patterns]
    if len(data) <= _SMALL:
        patterns += [reader.names for reader in readers if reader.names]
    patterns += _OF_MODULES if image.modules else ()
    found = find(data, patterns, apart_from(image.code, len(data)), _CONTAINERS)
    numpy = [(int(major), int(minor)) for _, (major, minor) in found.get(_NUMPY, ())]
    return Binary(
        path,
        len(data),
        image,
        tuple(one for reader in readers if (one := reader.evidence(data, image, found))),
        numpy[0] if numpy else None,
        bool(numpy or found.get(_NUMPY_API)),
        counts,
    )


def _opened(data: Buffer) -> tuple[Image, FunctionTable | None]:
    """Return the headers of an executable file, and its functions where they are x86-64 code."""
    kind = format_of(data[:_HEAD])
    if kind is Format.PE:
        pe = Pe(data)
        return pe.image(), pe_functions(pe)
    if kind is Format.MACHO:
        return macho_image(data), macho_functions(macho_slices(data))
    elf = Elf(data)
    return elf.image(), elf_functions(elf)


class _Digest:
    """The hash that RECORD has of a file; one without a row, or with a hash that is not computed here, matches."""

    def __init__(self, row: RecordRow | None) -> None:
        algorithm, _, self._expected = row.digest.partition("=") if row else ("", "", "")
        self._hash = hashlib.new(algorithm) if algorithm in _HASHES else None

    def update(self, content: bytes | bytearray, /) -> None:
        """Take the next bytes."""
        if self._hash is not None:
            self._hash.update(content)

    @property
    def matches(self) -> bool:
        """Return whether the bytes are those of RECORD."""
        if self._hash is None:
            return True
        return urlsafe_b64encode(self._hash.digest()).rstrip(b"=").decode() == self._expected.rstrip("=")
