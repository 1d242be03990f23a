from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from packaging.version import Version

from support.binaries import elf
from support.checks import LINUX, WINDOWS, check_published
from support.cli import run
from support.http import running
from support.wheels import make_wheel
from variant_publish.archive.wheel import OutlineWheel, WholeWheel
from variant_publish.check.engine.report import Report
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.progress import SilentReporter
from variant_publish.release.published import Depth, fetch, previous_of
from variant_publish.remote.transport import IndexUnavailable


class Notes(SilentReporter):
    """Keep what is noted."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, message: str) -> None:
        self.lines.append(message)


def failed(report: Report) -> list[str]:
    return [finding.id for finding in report.findings if finding.verdict == "fail"]


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder, byte ranges too where the server is told so, and count what is sent."""

    ranges = True
    sent = 0
    asked: ClassVar[list[str]] = []

    def guess_type(self, path: Any) -> str:
        """Say which pages are JSON (PEP 691)."""
        found = Path(path)
        if found.name == "index.html" and found.read_bytes().startswith(b"{"):
            return "application/vnd.pypi.simple.v1+json"
        return super().guess_type(path)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not type(self).ranges or match is None or not path.is_file():
            if path.is_file():
                type(self).sent += path.stat().st_size
            super().do_GET()
            return
        content = path.read_bytes()
        start = int(match[1]) if match[1] else max(0, len(content) - int(match[2]))
        end = min(int(match[2]) + 1, len(content)) if match[1] else len(content)
        type(self).sent += end - start
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the tests' output clean."""


@contextmanager
def serving(folder: Path, *, ranges: bool) -> Iterator[tuple[str, type[Handler]]]:
    """Serve a folder, and give the address and the handler with its count."""
    handler = type("Own", (Handler,), {"ranges": ranges, "sent": 0, "asked": []})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))) as address:
        yield address, handler


def offer_metadata(folder: Path, listing: str) -> None:
    """Serve METADATA beside each wheel (PEP 658), and say so on the page: in JSON, in HTML, with a hash or without."""
    files, links = [], ""
    for path in sorted((folder / "foo").glob("*.whl")):
        wheel = WholeWheel.read(path)
        with zipfile.ZipFile(path) as archive:
            content = archive.read(f"{wheel.dist_info}/METADATA")
        path.with_name(f"{path.name}.metadata").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest() if listing != "wrong hash" else "0" * 64
        told = digest if listing in ("hash", "html", "wrong hash") else None
        links += f'<a href="{path.name}" data-core-metadata="sha256={told}">{path.name}</a>\n'
        file = IndexFile(path.name, path.name, "", path.stat().st_size, metadata_sha256=told, serves_metadata=not told)
        files.append(file)
    if listing == "html":
        (folder / "foo" / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", "utf-8")
    else:
        (folder / "foo" / "index.html").write_text(ProjectIndex("foo", tuple(files)).dumps(), "utf-8")


def publish(folder: Path, *wheels: Path, hashes: bool = False) -> None:
    """Write the page of the project beside its wheels."""
    sums = {wheel: f"#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}" if hashes else "" for wheel in wheels}
    links = "".join(f'<a href="{wheel.name}{sums[wheel]}">{wheel.name}</a>\n' for wheel in wheels)
    (folder / "foo" / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", "utf-8")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Give an index with two versions; the older one has a wheel that the newer one lacks, and large payloads."""
    payload = {"foo/a.so": elf(exports=["PyInit_a"]), "foo/big.bin": bytes(range(256)) * 8000}
    folder = tmp_path / "index"
    wheels = [
        make_wheel(
            folder / "foo", f"foo-{version}-cp312-cp312-{platform}.whl", files=payload, info_first=version == "2.0"
        )
        for version, platform in (("1.0", LINUX), ("1.0", WINDOWS), ("2.0", LINUX), ("2.1rc1", LINUX))
    ]
    publish(folder, *wheels)
    return folder


@pytest.mark.parametrize("info_first", [False, True])
def test_an_outline_reads_like_the_wheel(tmp_path: Path, info_first: bool) -> None:
    noise = {f"foo/{number}.bin": bytes((number * i * i) % 251 for i in range(300_000)) for number in range(2, 5)}
    whole = make_wheel(tmp_path / "web", f"foo-1.0-cp312-cp312-{LINUX}.whl", files=noise, info_first=info_first)
    with serving(tmp_path / "web", ranges=True) as (address, _):
        listed = [IndexFile(whole.name, f"{address}/{whole.name}", "")]
        (two,) = fetch(listed, tmp_path / "out", depth=Depth.OUTLINE).wheels
    one = WholeWheel.read(whole)
    assert isinstance(two, OutlineWheel)
    assert list((tmp_path / "out").iterdir()) == []
    assert (one.metadata, one.members, one.record, one.size) == (two.metadata, two.members, two.record, two.size)


def test_a_release_is_checked_without_its_payload(index: Path) -> None:
    notes = Notes()
    with serving(index, ranges=True) as (address, handler):
        report = check_published("foo", "2.0", index=address, reporter=notes)
        assert handler.sent < sum(path.stat().st_size for path in index.rglob("*.whl"))
    assert failed(report) == ["VP308"]
    assert notes.lines[0].startswith("foo 2.0: the index lists no METADATA (PEP 658)")
    message = next(finding.message for finding in report.findings if finding.id == "VP308")
    assert message == f"no wheel for cp312-cp312 on {WINDOWS}, generic: the previous release had"
    unread = {finding.message for finding in report.findings if finding.verdict == "unknown"}
    assert unread == {"1 wheel read as directory and dist-info only"}


@pytest.mark.parametrize("hashes", [False, True])
def test_a_server_without_ranges_is_told(index: Path, hashes: bool) -> None:
    notes = Notes()
    if hashes:
        publish(index, *sorted((index / "foo").glob("*.whl")), hashes=True)
    with serving(index, ranges=False) as (address, _):
        report = check_published("foo", "2.0", index=address, reporter=notes)
    assert notes.lines[0] == "127.0.0.1 answers no range requests: whole files were read"
    assert len(notes.lines) == 2
    assert failed(report) == ["VP308"]


@pytest.mark.parametrize("listing", ["hash", "true", "html"])
@pytest.mark.parametrize("ranges", [True, False])
def test_metadata_that_the_index_serves_is_all_that_is_read(index: Path, listing: str, ranges: bool) -> None:
    notes = Notes()
    offer_metadata(index, listing)
    with serving(index, ranges=ranges) as (address, handler):
        report = check_published("foo", "2.0", index=address, reporter=notes)
    assert [path for path in handler.asked if path.endswith(".whl")] == []
    assert failed(report) == ["VP308"]
    (release,) = report.releases
    assert release.sizes == {name: (index / "foo" / name).stat().st_size for name in release.wheels}
    assert notes.lines[0].startswith("foo 2.0: the index served METADATA of 1 of 1 wheels")
    assert re.fullmatch(
        r"foo 2.0: .* of [0-9.]+ kB were read in 1 request|foo 2.0: .* were read in 2 requests", notes.lines[1]
    )


def test_what_only_the_archive_can_tell_is_unknown_and_not_passed(index: Path) -> None:
    offer_metadata(index, "hash")
    with serving(index, ranges=True) as (address, _):
        read = [check_published("foo", "2.0", index=address, outline=outline,
                                    select=("VP104", "VP105", "VP106", "VP108", "VP204")) for outline in (False, True)]  # fmt: skip
    assert [(report.counts.passed, report.counts.unknown) for report in read] == [(0, 5), (4, 0)]
    assert all(report.counts.failed == 0 for report in read)


def test_metadata_that_is_listed_and_not_there_is_read_from_the_wheel(index: Path) -> None:
    notes = Notes()
    offer_metadata(index, "hash")
    for path in (index / "foo").glob("*.metadata"):
        path.unlink()
    with serving(index, ranges=True) as (address, _):
        report = check_published("foo", "2.0", index=address, reporter=notes)
    assert notes.lines[0] == "127.0.0.1 does not serve the METADATA that the index lists: outlines were read"
    assert failed(report) == ["VP308"]


def test_metadata_with_another_hash_is_refused(index: Path) -> None:
    offer_metadata(index, "wrong hash")
    with serving(index, ranges=True) as (address, _), pytest.raises(IndexUnavailable, match="another SHA-256"):
        check_published("foo", "2.0", index=address)


def test_metadata_that_cannot_be_parsed_is_left_to_the_wheel(index: Path) -> None:
    offer_metadata(index, "true")
    for path in (index / "foo").glob("*.metadata"):
        path.write_bytes(b"")
    with serving(index, ranges=True) as (address, handler):
        report = check_published("foo", "2.0", index=address)
    assert any(path.endswith(".whl") for path in handler.asked)
    assert failed(report) == ["VP308"]


def test_a_release_of_66_wheels_costs_66_small_requests(tmp_path: Path) -> None:
    payload = {"foo/big.bin": hashlib.shake_256(b"").digest(200_000)}
    for minor in range(10, 21):
        for place in (LINUX, WINDOWS, "win_arm64", "macosx_14_0_arm64", "macosx_14_0_x86_64", "musllinux_1_2_x86_64"):
            make_wheel(tmp_path / "foo", f"foo-1.0-cp3{minor}-cp3{minor}-{place}.whl", files=payload)
    offer_metadata(tmp_path, "hash")
    with serving(tmp_path, ranges=True) as (address, handler):
        report = check_published("foo", "1.0", index=address)
    assert len(report.releases[0].wheels) == 66
    assert len(handler.asked) == 66 + 1
    assert handler.sent < 100_000


def test_deep_reads_the_binaries(index: Path) -> None:
    report = check_published("foo", "2.0", index=index.as_uri(), deep=True)
    shallow = check_published("foo", "2.0", index=index.as_uri())
    assert report.counts.passed > shallow.counts.passed


def test_the_command_takes_name_and_version(index: Path) -> None:
    result = run("check", "foo==2.0", "--index", index.as_uri())
    assert result.code == 0
    assert "warning VP308" in result.stdout
    missing = run("check", "foo==3.0", "--index", index.as_uri())
    assert (missing.code, "it has 2.1rc1, 2.0, 1.0" in missing.stderr) == (1, True)
    assert run("check", "foo==x", "--index", index.as_uri()).code == 2
    assert run("check", "foo==1.0", "--offline").code == 2


def test_the_previous_release_of_a_folder_is_asked_for(index: Path, tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", f"foo-2.0-cp312-cp312-{LINUX}.whl")
    result = run("check", str(tmp_path / "dist"), "--index", index.as_uri())
    assert "warning VP308" in result.stdout


def test_a_final_release_follows_a_final_one() -> None:
    files = [IndexFile(f"foo-{version}-py3-none-any.whl", "", "") for version in ("1.0", "2.0rc1", "2.0", "2.1rc1")]
    assert [file.filename[4:7] for file in previous_of(files, Version("2.0"))] == ["1.0"]
    assert [file.filename[4:10] for file in previous_of(files, Version("2.1rc2"))] == ["2.1rc1"]
    assert previous_of(files, Version("0.9")) == ()


@pytest.fixture
def siblings(tmp_path: Path) -> Path:
    """Give an index with two projects that belong together; one lacks a Python."""
    folder = tmp_path / "siblings"
    for project in ("foo", "foo-cpu"):
        for minor in (11, 12) if project == "foo" else (12,):
            name = f"{project.replace('-', '_')}-1.0-cp3{minor}-cp3{minor}-{LINUX}.whl"
            make_wheel(folder / project, name)
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in (folder / project).glob("*.whl"))
        (folder / project / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", "utf-8")
    return folder


def test_published_releases_are_checked_as_a_family(siblings: Path) -> None:
    with serving(siblings, ranges=True) as (address, _):
        result = run("check", "foo==1.0", "foo_cpu==1.0", "--family", "--index", address, "--format", "json")
    table = json.loads(result.stdout)
    assert [release["project"] for release in table["releases"]] == ["foo", "foo-cpu"]
    assert [(one["id"], one["variant"]) for one in table["findings"] if one["verdict"] == "fail"] == [
        ("VP804", "foo-cpu")
    ]
    assert table["family"]["columns"] == ["foo", "foo-cpu"]


def test_a_folder_and_a_published_release_are_a_family_too(siblings: Path, tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", f"foo_gpu-1.0-cp312-cp312-{LINUX}.whl")
    result = run("check", str(tmp_path / "dist"), "foo==1.0", "--family", "--index", siblings.as_uri())
    assert result.code == 0
    assert "the family: foo 1.0, foo-gpu 1.0" in result.stdout
    assert f"foo-gpu has no wheel for cp311-cp311 on {LINUX}: foo has" in result.stdout


def test_a_family_of_the_configuration_needs_no_option(siblings: Path, tmp_path: Path) -> None:
    config = tmp_path / "family.toml"
    config.write_text('[family]\nmembers = ["foo", "foo-cpu", "foo-gpu"]\n')
    arguments = ("foo==1.0", "foo-cpu==1.0", "--index", siblings.as_uri(), "--config", str(config))
    result = run("check", *arguments)
    assert "warning VP804" in result.stdout
    assert "unknown VP801" in result.stdout
    html = run("check", *arguments, "--format", "html").stdout
    assert "The family: foo 1.0, foo-cpu 1.0" in html


def test_several_releases_without_a_family_are_checked_each_by_itself(siblings: Path) -> None:
    result = run("check", "foo==1.0", "foo-cpu==1.0", "--index", siblings.as_uri(), "--format", "json")
    table = json.loads(result.stdout)
    assert len(table["releases"]) == 2
    assert "family" not in table
    assert {one["verdict"] for one in table["findings"]} == {"unknown"}


def test_one_project_asked_for_as_a_family_is_a_wrong_use(siblings: Path) -> None:
    result = run("check", "foo==1.0", "--family", "--index", siblings.as_uri())
    assert result.code == 2
    assert "a family has two projects or more, and foo was named alone" in result.stderr


def test_a_summary_needs_the_wheel(index: Path, tmp_path: Path) -> None:
    arguments = ("check", "foo==2.0", "--index", index.as_uri(), "--summary-out", str(tmp_path / "out"))
    result = run(*arguments)
    assert (result.code, "add --deep" in result.stderr) == (2, True)
    assert run(*arguments, "--deep").code == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_release_that_is_named_twice_is_read_once(siblings: Path) -> None:
    result = run("check", "foo==1.0", "Foo==1", "foo-cpu==1.0", "--family", "--index", siblings.as_uri())
    assert (result.code, "3 wheels checked" in result.stdout) == (0, True)


def test_a_version_may_be_written_shorter(index: Path) -> None:
    with serving(index, ranges=True) as (address, handler):
        report = check_published("Foo", "2", index=address)
        assert handler.sent < sum(path.stat().st_size for path in index.rglob("*.whl"))
    assert failed(report) == ["VP308"]
