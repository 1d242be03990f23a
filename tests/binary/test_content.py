from __future__ import annotations

import struct
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from support.binaries import VEX, elf, fatbin, offload_bundle
from support.checks import LINUX
from support.wheels import make_wheel
from variant_publish.archive import inflate
from variant_publish.archive.inflate import Inflater
from variant_publish.archive.wheel import WholeWheel
from variant_publish.archive.zipraw import open_archive
from variant_publish.binary import content
from variant_publish.binary.content import apart_from, find, search
from variant_publish.binary.elf import Elf
from variant_publish.binary.fatbin import MAGIC, container_end
from variant_publish.binary.offload import BUNDLES, ENDS, offload_targets
from variant_publish.binary.scan import scan
from variant_publish.providers.catalog import BUILTIN

NUMBER, WORD = rb"number ([0-9]{1,3});", rb"word"


@pytest.mark.parametrize("place", range(90, 112))
def test_a_match_is_found_once_wherever_a_window_ends(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_WINDOW", 50)
    data = b"\0" * place + b"number 12;word" + b"\0" * 90
    assert find(data, (NUMBER, WORD), [(0, len(data))]) == {NUMBER: [(place, (b"12",))], WORD: [(place + 10, ())]}


def test_only_the_ranges_are_searched_and_a_match_does_not_leave_them() -> None:
    data = b"word word word"
    assert [place for place, _ in search(data, (WORD,), [(0, 4), (6, 12), (10, 14)])] == [0, 10]


def test_of_a_pattern_that_is_everywhere_the_first_matches_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_MANY", 3)
    assert find(b"word" * 50, (WORD,), [(0, 200)])[WORD] == [(0, ()), (4, ()), (8, ())]


@pytest.mark.parametrize("length", [10, 60, 400])
@pytest.mark.parametrize("place", [0, 20, 45, 49, 50, 51, 120])
def test_what_is_in_a_container_is_not_searched(place: int, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_WINDOW", 50)
    monkeypatch.setattr(content, "_LONGEST", 8)
    data = (
        b"\0" * place + b"BOX".ljust(length, b"\0").replace(b"\0" * 7, b"wordBOX", 1) + b"word" + b"\0" * 60 + b"BOX?"
    )

    def end(_: object, start: int) -> int:
        return start + length if start == place else start

    found = find(data, (WORD, b"BOX"), [(0, len(data))], {b"BOX": end})
    assert found == {WORD: [(place + length, ())], b"BOX": [(place, ()), (place + length + 64, ())]}


@pytest.mark.parametrize("compressed", ["", "zlib"])
def test_device_code_in_many_containers_is_found_and_text_behind_them(compressed: str) -> None:
    bundle = offload_bundle("hipv4-amdgcn-amd-amdhsa--gfx942", compressed=compressed)
    other = offload_bundle("hipv4-amdgcn-amd-amdhsa--gfx1100", compressed=compressed)
    cubin = fatbin((90, "", False))
    data = bundle + other + cubin * 3 + b"Cuda compilation tools, release 12.8" + bundle
    found = find(data, (*BUNDLES, MAGIC), [(0, len(data))], {MAGIC: container_end, **ENDS})
    assert {target.arch for target in offload_targets(data, found)} == {"gfx942", "gfx1100"}
    assert [place for place, _ in found[MAGIC]] == [len(bundle + other) + number * len(cubin) for number in range(3)]


@pytest.mark.parametrize(
    ("ranges", "left"),
    [
        ([], [(0, 9)]),
        ([(2, 4)], [(0, 2), (4, 9)]),
        ([(5, 6), (0, 2)], [(2, 5), (6, 9)]),
        ([(1, 5), (2, 3)], [(0, 1), (5, 9)]),
        ([(4, 1 << 40)], [(0, 4)]),
        ([(20, 30)], [(0, 9)]),
    ],
)
def test_what_is_left_apart_from_ranges(ranges: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert [one for one in apart_from(ranges, 9) if one[0] < one[1]] == left


def test_tables_of_symbols_hold_no_data() -> None:
    data = elf(imports=["a"] * 9, exports=["PyInit_x"], extra=b"word")
    image = Elf(data).image()
    assert image.code
    assert [place for place, _ in search(data, (WORD,), apart_from(image.code, len(data)))] == [data.index(b"word")]


def test_a_thread_that_inflates_ahead_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_IN_MEMORY", 100)
    library = elf(functions=[VEX] * 9, extra=fatbin((90, "", False)) + bytes(range(256)) * 9000)
    files = {"foo/a.so": library, "foo/b.so": library, "foo/c.txt": b"text " * 900}
    path = make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}.whl", files=files)
    found = scan(WholeWheel.read(path), BUILTIN, ahead=True)
    assert [binary.shows("nvidia").code for binary in found.binaries] == [("90_real",)] * 2
    assert found == scan(WholeWheel.read(path), BUILTIN)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"foo/a.so") + 5000] ^= 0xFF
    path.write_bytes(damaged)
    found = scan(WholeWheel.read(path), BUILTIN, ahead=True)
    assert len(found.faults) == 1
    assert found == scan(WholeWheel.read(path), BUILTIN)


@pytest.mark.parametrize("amount", [7, 3 << 20])
@pytest.mark.parametrize("library", [zlib, inflate._zlib])
def test_bytes_behind_the_end_of_a_stream_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: ModuleType, amount: int
) -> None:
    monkeypatch.setattr(inflate, "_zlib", library)
    inside = b"\0" * (5 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(inside) + packer.flush() + b"x" * amount
    head = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, zlib.crc32(inside), len(packed), len(inside), 1, 0)
    central = b"PK\1\2" + struct.pack("<H", 20) + head + bytes(14) + b"a"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), 31 + len(packed), 0)
    path = tmp_path / "a.whl"
    path.write_bytes(b"PK\3\4" + head + b"a" + packed + central + end)
    with open_archive(path) as archive:
        (member,) = archive.directory.members
        assert b"".join(Inflater(archive).pieces(member)) == inside
