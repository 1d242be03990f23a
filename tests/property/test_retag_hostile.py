"""Hostile archives: whatever the bytes are, retagging ends well or with one clear error, and leaves nothing behind."""

from __future__ import annotations

import random
import struct
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.odd_wheels import INFO, NAME, PAYLOAD, SHAPES, end_records, entries_of, files_of, joined, many, zipped
from variant_publish.archive.retag import Rename, Rewrite, retag, retag_in_place
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import VariantPublishError

REWRITES = (Rewrite(PLUS, ("cu128",)), Rewrite(rename=Rename("foo", "bar")))
SMALL = {
    name: SHAPES[name]() for name in ("plain", "info first", "data descriptors", "folders", "data", "zip64 everywhere")
}
_MEMORY = 64 * 1024 * 1024


def survives(data: bytes, *, in_place: bool = False) -> bool:
    """Retag hostile bytes; True where that went well. Nothing half-written may stay, nothing outside may change."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = root / "in" / NAME
        source.parent.mkdir()
        source.write_bytes(data)
        rewrite = REWRITES[len(data) % 2]
        try:
            if in_place:
                retag_in_place(source, rewrite)
            else:
                retag(source, root / "out", rewrite)
        except VariantPublishError as error:
            assert NAME in error.message, error.message  # noqa: PT017
            done = False
        else:
            done = True
        inside, outside = list((root / "in").iterdir()), list((root / "out").glob("*"))
        assert set(root.iterdir()) <= {root / "in", root / "out"}
        assert len(inside) == 1
        assert len(outside) == int(done and not in_place)
        if not done or not in_place:
            assert source.read_bytes() == data
        return done


def mutated(data: bytes, seed: int) -> bytes:
    """Change a few bytes, in the headers more often than elsewhere, or cut, double or fill a piece."""
    chance = random.Random(seed)  # noqa: S311
    new = bytearray(data)
    marks = [place for place in range(len(data) - 4) if data[place : place + 2] == b"PK"]
    for _ in range(chance.randint(1, 4)):
        near = chance.choice(marks) + chance.randrange(50) if chance.random() < 0.8 else chance.randrange(len(new))
        place = min(near, len(new) - 1)
        kind = chance.randrange(6)
        if kind < 2:
            new[place] = chance.choice([0, 1, 8, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        elif kind == 2:
            new[place : place + 4] = struct.pack("<L", chance.choice([0, 1, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFE, len(data)]))
        elif kind == 3:
            del new[place : place + chance.randrange(1, 60)]
        elif kind == 4:
            new[place:place] = new[place : place + chance.randrange(1, 60)]
        else:
            new[place : place + 8] = struct.pack("<Q", chance.choice([2**63, 2**64 - 1, 2**32, 2**31, 0]))
    return bytes(new)


@pytest.mark.parametrize("shape", SMALL)
def test_mutations_of_sound_wheels(shape: str) -> None:
    ends = {survives(mutated(SMALL[shape], seed), in_place=seed % 3 == 0) for seed in range(150)}
    assert ends == {True, False}


@given(st.sampled_from(sorted(SMALL)), st.integers(0), st.binary(min_size=1, max_size=30))
def test_any_bytes_at_any_place(shape: str, place: int, junk: bytes) -> None:
    data = SMALL[shape]
    place %= len(data)
    survives(data[:place] + junk + data[place + len(junk) :])


@pytest.mark.parametrize("shape", ["plain", pytest.param("zip64 everywhere", marks=pytest.mark.slow)])
def test_a_wheel_cut_anywhere_is_refused(shape: str) -> None:
    data = SMALL[shape]
    assert not any(survives(data[:length]) for length in range(len(data)))


def with_member(name: str, *, mode: int = 0o100644) -> bytes:
    """Give a wheel with one more member of this name and mode."""
    import io

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in files_of({**PAYLOAD, name: b"evil"}).items():
            entry = zipfile.ZipInfo("x", (2024, 5, 6, 7, 8, 10))
            entry.filename = path
            entry.external_attr = (mode if path == name else 0o100644) << 16
            archive.writestr(entry, text)
    return target.getvalue()


def changed(field: int, kind: str, value: int, entry: int = 0) -> bytes:
    """Give a wheel with another number in one entry of its directory."""
    local, entries, comment = entries_of(SMALL["plain"])
    new = bytearray(entries[entry])
    struct.pack_into(kind, new, field, value)
    entries[entry] = bytes(new)
    return joined(local, entries, comment)


def doubled() -> bytes:
    local, entries, _ = entries_of(SMALL["plain"])
    return joined(local, [*entries, entries[0]])


def bomb(name: str, size: int) -> bytes:
    """Give a wheel one of whose dist-info files inflates to `size` zeros."""
    files = files_of()
    files[f"{INFO}/{name}"] = bytes(size)
    return zipped(files)


def recursive() -> bytes:
    """Give a wheel whose members share one large body, as overlapping bombs do."""
    local, entries, _ = entries_of(zipped({"foo/kernel": bytes(1_000_000), **files_of()}))
    offset = entries[0][42:46]
    return joined(local, [entries[0], *(entry[:42] + offset + entry[46:] for entry in entries[1:])])


def lying_end(count: int, length: int, start: int) -> bytes:
    """Give a wheel whose zip64 end record says something else than the truth."""
    data = bytearray(SMALL["zip64 everywhere"])
    struct.pack_into("<4Q", data, data.rindex(b"PK\x06\x06") + 24, count, count, length, start)
    return bytes(data)


HAND_MADE: dict[str, tuple[Callable[[], bytes], bool]] = {
    "absolute name": (lambda: with_member("/etc/evil"), False),
    "dots": (lambda: with_member("../../evil"), False),
    "dots inside": (lambda: with_member("foo/../../evil"), False),
    "dots with backslashes": (lambda: with_member("foo\\..\\..\\evil"), False),
    "drive": (lambda: with_member("C:/evil"), False),
    "no name": (lambda: with_member(""), False),
    "zero byte": (lambda: with_member("foo/a\0b"), False),
    "symbolic link": (lambda: with_member("foo/link", mode=0o120777), True),  # copied, never followed; check tells
    "offset outside": (lambda: changed(42, "<L", 0x7FFFFFFF), False),
    "offset of another": (lambda: changed(42, "<L", 0, entry=1), False),
    "size too large": (lambda: changed(20, "<L", 0x7FFFFFFF), False),
    "size too small": (lambda: changed(20, "<L", 1), False),
    "inflated size lies": (lambda: changed(24, "<L", 1 << 30, entry=3), False),
    "checksum lies": (lambda: changed(16, "<L", 1), False),
    "other method": (lambda: changed(10, "<H", 12), False),
    "encrypted": (lambda: changed(8, "<H", 1), False),
    "duplicate": (doubled, False),
    "overlapping": (recursive, False),
    "METADATA bomb": (lambda: bomb("METADATA", 100 << 20), False),
    "RECORD bomb": (lambda: bomb("RECORD", 100 << 20), False),
    "many members": (lambda: many(70_000), True),
    "count lies": (lambda: lying_end(2**40, 2**20, 0), False),
    "directory outside": (lambda: lying_end(6, 2**40, 2**41), False),
    "directory before the file": (lambda: lying_end(6, 2**40, 2**64 - 1), False),
    "empty": (lambda: b"", False),
    "only an end": (lambda: end_records(0, 0, 0), False),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case == "many members")) for case in HAND_MADE]
)
def test_hand_made_archives(case: str) -> None:
    make, good = HAND_MADE[case]
    data = make()
    tracemalloc.start()
    try:
        assert survives(data) is good
        assert tracemalloc.get_traced_memory()[1] < _MEMORY + 3 * len(data)
    finally:
        tracemalloc.stop()


def test_a_local_header_that_lies_is_not_copied() -> None:
    for field, value in ((6, 0x2020), (8, 0), (14, 0x1234), (18, 0x1234), (22, 0x1234)):
        data = bytearray(SMALL["plain"])
        struct.pack_into("<H", data, field, value)
        assert not survives(bytes(data)), field


def test_what_comes_out_is_an_archive_that_others_read(tmp_path: Path) -> None:
    for number in range(150):
        source = tmp_path / str(number) / NAME
        source.parent.mkdir()
        source.write_bytes(mutated(SMALL[sorted(SMALL)[number % len(SMALL)]], 10_000 + number))
        try:
            result = retag(source, tmp_path / f"out{number}", REWRITES[0])
        except VariantPublishError:
            continue
        with zipfile.ZipFile(result.path) as archive:
            # a payload that does not match its checksum is copied as it is; what retag itself wrote is right
            assert archive.read(f"{INFO}/WHEEL")
            assert archive.read(f"{INFO}/RECORD")
