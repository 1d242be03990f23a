"""Every shape of archive goes in; what comes out is accepted by strict readers: zipfile, unzip, `wheel unpack`, uv."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.archives import assert_gap_free, contents
from support.http import serving
from support.odd_wheels import HOLE, INFO, NAME, SHAPES, many, write_sparse
from support.uv import uv
from variant_publish.archive.retag import Rename, Rewrite, retag, retag_in_place
from variant_publish.archive.wheel import WholeWheel
from variant_publish.dialects.plus import PLUS
from variant_publish.formats.record import Record, RecordRow

REWRITES = {
    "add": Rewrite(add=("numpy",)),
    "plus": Rewrite(PLUS, ("cu128",)),
    "rename": Rewrite(rename=Rename("foo", "bar-baz")),
}


def source(folder: Path, shape: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_bytes(SHAPES[shape]())
    return path


def assert_right(before: dict[str, bytes], path: Path) -> None:
    """Hold that the payload is as it was, and that RECORD says so."""
    after = contents(path)
    info = WholeWheel.read(path).dist_info
    renamed = info.removesuffix(".dist-info")
    for name, text in before.items():
        if not name.startswith(f"{INFO}/"):
            assert after[name.replace("foo-1.0.data/", f"{renamed}.data/")] == text
    rows = {row.path: row for row in Record.parse(after[f"{info}/RECORD"]).rows}
    assert rows.keys() == {name for name in after if not name.endswith("/")}
    assert all(row == RecordRow.of(name, after[name]) for name, row in rows.items() if row.digest)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_every_shape_comes_out_right(tmp_path: Path, shape: str, rewrite: str) -> None:
    path = source(tmp_path, shape)
    before = contents(path)
    copy = retag(path, tmp_path / "out", REWRITES[rewrite]).path
    assert_right(before, copy)
    if "zip64" not in shape:
        assert_gap_free(copy)
    in_place = retag_in_place(path, REWRITES[rewrite]).path
    assert_right(before, in_place)
    if shape != "unsorted":
        assert in_place.read_bytes() == copy.read_bytes()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs Info-ZIP's unzip")
@pytest.mark.parametrize("shape", SHAPES)
def test_unzip_accepts_every_shape(tmp_path: Path, shape: str) -> None:
    for rewrite in REWRITES.values():
        result = retag(source(tmp_path, shape), tmp_path / "out", rewrite).path
        done = subprocess.run(["unzip", "-tqq", str(result)], capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_wheel_unpack_accepts_every_shape(tmp_path: Path, shape: str) -> None:
    for rewrite in (REWRITES["add"], REWRITES["rename"]):
        result = retag(source(tmp_path, shape), tmp_path / "out", rewrite).path
        done = subprocess.run(
            [sys.executable, "-m", "wheel", "unpack", str(result), "-d", str(tmp_path / "unpacked")],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_uv_streams_every_shape_over_http(tmp_path: Path) -> None:
    for number, shape in enumerate(SHAPES):
        for rewrite in ("add", "rename"):
            retag(source(tmp_path / "in", shape), tmp_path / "www" / f"{number}{rewrite}", REWRITES[rewrite])
    with serving(tmp_path / "www") as address:
        for number, shape in enumerate(SHAPES):
            for rewrite, project in (("add", "foo"), ("rename", "bar_baz")):
                url = f"{address}/{number}{rewrite}/{NAME.replace('foo', project)}"
                target = tmp_path / "target" / f"{number}{rewrite}"
                done = uv("pip", "install", "--no-deps", "--target", target, f"{project} @ {url}")
                assert done.returncode == 0, f"{shape}, {rewrite}: {done.stderr}"
                assert (target / "foo/__init__.py").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("count", [65_534, 65_535, 65_536, 65_537])
def test_the_number_of_members_may_pass_what_16_bits_hold(tmp_path: Path, count: int) -> None:
    path = tmp_path / NAME
    path.write_bytes(many(count))
    result = retag(path, tmp_path / "out", REWRITES["plus"]).path
    with zipfile.ZipFile(result) as archive:
        assert len(archive.infolist()) == count
    in_place = retag_in_place(path, REWRITES["plus"]).path
    assert in_place.read_bytes() == result.read_bytes()


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="the system knows no holes")
def test_a_sparse_wheel_of_4_gb_stays_sparse(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / NAME)
    result = retag(path, tmp_path / "out", REWRITES["plus"]).path
    assert result.stat().st_size > HOLE
    assert result.stat().st_blocks * 512 < 1_000_000
    with zipfile.ZipFile(result) as archive:
        assert archive.getinfo("foo/zeros.bin").file_size == HOLE
        assert archive.read("foo/first.py") == b"1"
        assert b"+cu128" in archive.read(f"{INFO}/WHEEL")
    assert retag_in_place(path, REWRITES["plus"]).note == ""
    in_place = path.with_name(result.name)
    assert in_place.stat().st_size == result.stat().st_size
    with in_place.open("rb") as one, result.open("rb") as two:
        for stream in (one, two):
            stream.seek(HOLE)
        assert one.read() == two.read()


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="the system knows no holes")
def test_strict_readers_find_what_lies_behind_4_gb(tmp_path: Path) -> None:
    """The zeros themselves, which take these readers half a minute, are copied and compared above."""
    result = retag(write_sparse(tmp_path / NAME), tmp_path / "out", REWRITES["plus"]).path
    with zipfile.ZipFile(result) as archive:
        names = archive.namelist()
        for name in names:
            with archive.open(name) as member:
                assert (name == "foo/zeros.bin" and member.read(1) == b"\0") or member.read()
        rest = [name for name in names if name != "foo/zeros.bin"]
        assert archive.getinfo(rest[-1]).header_offset > HOLE
    if shutil.which("unzip") is not None:
        done = subprocess.run(["unzip", "-t", str(result), *rest], capture_output=True, check=False)
        assert done.returncode == 0
        assert done.stdout.count(b" OK") == len(rest)
