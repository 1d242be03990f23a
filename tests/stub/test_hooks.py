"""The hooks of the backend (PEP 517), called as build frontends call them, with an index in a folder."""

from __future__ import annotations

import io
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.archives import contents
from support.cli import run
from support.environments import CONFIG, PLAIN
from support.hostile import Behaviour, drips, misbehaving, redirects, says, shaking_hands_for_ever, without_end
from support.stub import load_backend
from support.tls import certificate
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config

MORE = """
[tool.variant-publish.stub.requires]
generic = "foo-cpu"
cu128 = "foo-cuda12x"
cu130 = "foo-cuda13x"
"""


def without_pauses() -> SimpleNamespace:
    """Return a clock for one backend alone, whose pauses take no time."""
    return SimpleNamespace(**vars(time) | {"sleep": lambda seconds: None})


class Unpacked:
    """Hold an unpacked sdist whose index is a folder, and its backend."""

    def __init__(self, folder: Path, *, requires: list[str], **options: Any) -> None:
        self.folder = folder
        config = folder / "pyproject.toml"
        config.write_text(CONFIG.format(dialect="plus") + MORE)
        house, self.index = folder / "wheelhouse", folder / "index" / "foo"
        for variant in ("generic", "cu128", "cu130"):
            built = make_wheel(folder / variant, PLAIN, requires=requires if variant == "cu128" else [])
            how = ("--generic",) if variant == "generic" else ("--variant", variant)
            assert run("retag", str(built), *how, "--config", str(config), "-o", str(house)).code == 0
        assert run("metadata", str(house), "--config", str(config)).code == 0
        declared = Config.load(config).with_stub(**options)
        sdist = api.stub(
            api.StubSource(str(house), public_url=self.index.parent.as_uri()), declared, folder / "dist"
        ).path
        shutil.copytree(house, self.index)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        self.sdist = sdist
        self.top = folder / "foo-1.0"
        self.backend: Any = load_backend(self.top / "variant_publish_stub.py")
        vars(self.backend)["time"] = without_pauses()
        self.out = folder / "out"
        self.out.mkdir()

    def build(self, metadata: str | None = None, **settings: str) -> bytes:
        """Build a wheel and give its module, which tells the variant."""
        prepared = None if metadata is None else str(self.out / metadata)
        name = self.backend.build_wheel(str(self.out), settings, prepared)
        assert name == PLAIN
        return contents(self.out / name)["foo.py"]

    def error(self, **settings: str) -> str:
        with pytest.raises(SystemExit) as error:
            self.build(**settings)
        assert not list(self.out.glob("*.whl*"))
        return str(error.value)


def test_the_metadata_are_those_of_the_wheel_that_is_built(tmp_path: Path) -> None:
    unpacked = Unpacked(tmp_path, requires=["bar"])
    assert unpacked.backend.get_requires_for_build_wheel() == []
    info = unpacked.backend.prepare_metadata_for_build_wheel(str(unpacked.out), {"cuda": "12.9"})
    prepared = {path.name: path.read_bytes() for path in (unpacked.out / info).iterdir()}
    del prepared[unpacked.backend.CHOICE]
    # What was prepared counts: a frontend need not hand the settings over again.
    assert unpacked.build(metadata=info)
    built = contents(unpacked.out / PLAIN)
    assert b"Requires-Dist: bar" in prepared["METADATA"]
    assert prepared == {name: built[f"{info}/{name}"] for name in prepared}


@pytest.mark.parametrize("fallback", ["error", "generic"])
def test_an_unknown_machine_gets_an_error_or_the_generic_wheel(tmp_path: Path, fallback: str) -> None:
    unpacked = Unpacked(tmp_path, requires=[], fallback=fallback)
    if fallback == "generic":
        unpacked.build(cuda="16.1")
        assert "Requires-Dist" not in contents(unpacked.out / PLAIN)["foo-1.0.dist-info/METADATA"].decode()
        return
    text = unpacked.error(cuda="16.1")
    assert "error: foo 1.0 has no wheel for this machine: the table of the release does not know cuda = 16.1" in text
    assert "the release has: cu128 (an NVIDIA driver for CUDA 12.8 or newer)" in text
    assert "pip install --no-cache-dir -C cuda=VALUE foo==1.0" in text
    assert "-C variant=generic" in text


def test_the_generic_build_is_there_for_an_unknown_machine_and_a_wish_is_no_other_variant(tmp_path: Path) -> None:
    unpacked = Unpacked(tmp_path, requires=["bar"], fallback="generic")
    unpacked.build(cuda="16.1", variant="generic")
    assert b"Requires-Dist" not in contents(unpacked.out / PLAIN)["foo-1.0.dist-info/METADATA"]
    (unpacked.out / PLAIN).unlink()
    for path in unpacked.index.glob("*cu128.whl"):
        path.unlink()
    assert "cannot be fetched" in unpacked.error(cuda="12.9", variant="cu128")
    unpacked.build(cuda="12.9")


@pytest.mark.parametrize("requires", [[], ["bar"]], ids=["alike", "other"])
def test_what_was_resolved_does_not_become_another_wheel_with_other_dependencies(
    tmp_path: Path, requires: list[str]
) -> None:
    unpacked = Unpacked(tmp_path, requires=requires, fallback="generic")
    info = unpacked.backend.prepare_metadata_for_build_wheel(str(unpacked.out), {"cuda": "12.9"})
    for path in unpacked.index.glob("*cu128.whl"):
        path.unlink()
    if requires:
        with pytest.raises(SystemExit, match="fits this machine and cannot be fetched"):
            unpacked.build(metadata=info, cuda="12.9")
    else:
        unpacked.build(metadata=info, cuda="12.9")
    assert unpacked.backend.prepare_metadata_for_build_wheel(str(unpacked.out), {"cuda": "12.9"}) == info
    assert "Requires-Dist" not in (unpacked.out / info / "METADATA").read_text()


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked, answers = Unpacked(tmp_path, requires=[]), [503, 0]
    real, asked = unpacked.backend._open, []

    def fails(url: str, **options: Any) -> Any:
        asked.append(url)
        code = answers.pop(0)
        if code == 0:
            return real(url, **options)
        if code == 1:
            return io.BytesIO(b"half a wheel")
        raise urllib.error.HTTPError(url, code, "no", Message(), None)

    monkeypatch.setattr(unpacked.backend, "_open", fails)
    unpacked.build(cuda="12.9")
    (unpacked.out / PLAIN).unlink()
    answers[:] = [404]
    assert "404" in unpacked.error(cuda="12.9")
    answers[:] = [1, 1, 1]
    assert "12 bytes of" in unpacked.error(cuda="12.9")
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("start", "target", "followed"),
    [
        ("https://h/x.whl", "https://cdn/x.whl", True),
        ("http://127.0.0.1/x.whl", "https://h/x.whl", True),
        ("http://127.0.0.1/x.whl", "http://127.0.0.1/y.whl", True),
        ("https://h/x.whl", "http://h/x.whl", False),
        ("https://h/x.whl", "ftp://h/x.whl", False),
    ],
)
def test_a_redirect_does_not_leave_https(tmp_path: Path, start: str, target: str, followed: bool) -> None:
    handler = Unpacked(tmp_path, requires=[]).backend.NoDowngrade()
    request = urllib.request.Request(start)
    if followed:
        assert handler.redirect_request(request, io.BytesIO(), 302, "Found", Message(), target).full_url == target
    else:
        with pytest.raises(urllib.error.URLError, match="redirects from https to"):
            handler.redirect_request(request, io.BytesIO(), 302, "Found", Message(), target)


def test_settings_that_nobody_knows_are_told_and_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unpacked = Unpacked(tmp_path, requires=[])
    unpacked.build(cuda="12.9", cudda="13.0")
    assert "'cudda' is none of variant, cuda" in capsys.readouterr().err
    (unpacked.out / PLAIN).unlink()
    assert "'cu14' is asked for and is none of its variants" in unpacked.error(cuda="12.9", variant="cu14")
    assert "foo 1.0 has no wheel" in unpacked.error(cuda="none", variant="cu128")


def test_the_empty_wheel_has_the_metadata_that_were_prepared(tmp_path: Path) -> None:
    unpacked = Unpacked(tmp_path, requires=[], mode="requires")
    info = unpacked.backend.prepare_metadata_for_build_wheel(str(unpacked.out), {"cuda": "13.0"})
    prepared = {f"{info}/{path.name}": path.read_bytes() for path in (unpacked.out / info).iterdir()}
    name = unpacked.backend.build_wheel(str(unpacked.out), {"cuda": "13.0"}, str(unpacked.out / info))
    built = contents(unpacked.out / name)
    del built[f"{info}/RECORD"]
    assert built == prepared
    metadata = built[f"{info}/METADATA"].decode()
    assert "Requires-Dist: foo-cuda13x==1.0\n" in metadata
    assert "Dynamic" not in metadata


def test_the_sdist_packs_itself_again(tmp_path: Path) -> None:
    unpacked = Unpacked(tmp_path, requires=[], embed_generic=True)
    name = unpacked.backend.build_sdist(str(unpacked.out))
    packed = []
    for path in (unpacked.sdist, unpacked.out / name):
        with tarfile.open(path) as archive:
            packed.append({member.name: archive.extractfile(member).read() for member in archive})  # type: ignore[union-attr]
    assert packed[0] == packed[1]
    shutil.rmtree(unpacked.index)
    unpacked.build(cuda="none")  # it comes out of the sdist


def test_a_server_that_sends_more_than_is_listed_is_left_after_one_byte_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = Unpacked(tmp_path, requires=[])
    backend = unpacked.backend
    with misbehaving({"/foo.whl": without_end()}) as url:
        part = tmp_path / "part"
        backend._fetch({"url": f"{url}/foo.whl", "size": 1000}, part)
    assert part.stat().st_size == 1001
    monkeypatch.setattr(backend, "LONGEST", 0.0)
    monkeypatch.setattr(backend, "SLOWEST", 1e12)
    with misbehaving({"/foo.whl": without_end()}) as url, pytest.raises(backend.NoWheel, match="too slowly"):
        backend._fetch({"url": f"{url}/foo.whl", "size": 10_000_000}, part)


@pytest.mark.parametrize(
    "behaviour",
    [drips(), drips(headers=True), drips(chunked=True), redirects("/foo.whl"), redirects("/a", drips(headers=True))],
)
def test_an_answer_that_drips_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    backend = load_backend()
    monkeypatch.setattr(backend, "LONGEST", 0.1)
    with misbehaving({"/foo.whl": behaviour}) as url, pytest.raises(backend.NoWheel, match="cannot be read"):
        backend._fetch({"url": f"{url}/foo.whl", "size": 1000}, tmp_path / "part")


def test_a_handshake_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load_backend()
    monkeypatch.setattr(backend, "LONGEST", 0.1)
    with shaking_hands_for_ever() as url, pytest.raises(backend.NoWheel, match="too slowly"):
        backend._fetch({"url": f"{url}/foo.whl", "size": 1000}, tmp_path / "part")


def test_redirects_are_followed_unread_and_never_from_https_to_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load_backend()
    monkeypatch.setattr(backend, "time", without_pauses())
    loopback = certificate(tmp_path)
    monkeypatch.setenv("PIP_CERT", str(loopback.authority))
    asked: list[str] = []
    wheel = {"/foo.whl": says(b"wheel"), "/a.whl": redirects("/foo.whl", without_end())}
    with misbehaving({"/foo.whl": lambda handler: asked.append(handler.path)}) as plain:
        wheel["/b.whl"] = redirects(f"{plain}/foo.whl", without_end())
        with misbehaving(wheel, loopback.context) as url:
            backend._fetch({"url": f"{url}/a.whl", "size": 5}, tmp_path / "part")
            assert (tmp_path / "part").read_bytes() == b"wheel"
            with pytest.raises(backend.NoWheel, match="it redirects from https to http"):
                backend._fetch({"url": f"{url}/b.whl", "size": 5}, tmp_path / "part")
    assert not asked
