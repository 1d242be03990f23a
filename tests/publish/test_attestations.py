"""Attestations (PEP 740) go where their files go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pypi_simple import ProjectPage

from support.attestations import attest
from support.cli import run
from support.http import running
from support.publishing import CONFIG, GENERIC, PLUS
from support.wheels import make_wheel
from variant_publish.formats.master import ProjectIndex

ROOT = "https://wheels.invalid/simple"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    upload = f'extra-index = "file:index"\npublic-url = "{ROOT}/"\nattestations = true\n'
    (tmp_path / "pyproject.toml").write_text(CONFIG + upload)
    attest(make_wheel(tmp_path / "dist", PLUS))
    make_wheel(tmp_path / "dist", GENERIC)
    return tmp_path


def test_the_index_serves_a_provenance_object_and_both_pages_name_it() -> None:
    assert run("upload", "dist", "--no-repository").code == 0
    address = f"{ROOT}/foo-bar/{PLUS.replace('+', '%2B')}.provenance"
    bundle = json.loads(Path(f"index/foo-bar/{PLUS}.provenance").read_text(encoding="utf-8"))["attestation_bundles"][0]
    assert bundle["attestations"] == [json.loads(Path(f"dist/{PLUS}.publish.attestation").read_text(encoding="utf-8"))]
    master = ProjectIndex.parse(Path("index/foo-bar/index.json").read_bytes())
    assert master.api_version == "1.3"
    assert {file.filename: file.provenance for file in master.distributions} == {PLUS: address, GENERIC: None}
    page = ProjectPage.from_html(
        "foo-bar", Path("index/foo-bar/index.html").read_text(encoding="utf-8"), base_url=f"{ROOT}/foo-bar/"
    )
    assert {item.filename: item.provenance_url for item in page.packages if item.filename == PLUS} == {PLUS: address}
    assert "0 problems" in run("index", "verify", "--deep").stdout
    assert "nothing to do" in run("upload", "dist", "--no-repository").stdout


def test_an_attestation_of_another_wheel_stops_everything_before_it_begins() -> None:
    make_wheel(Path("dist"), PLUS, files={"foo.py": b"retagged or rebuilt"})
    result = run("upload", "dist", "--no-repository")
    assert result.code == 1
    assert f"{PLUS}.publish.attestation attests {PLUS} with other bytes" in result.stderr
    assert not Path("index").exists()


def test_without_the_option_attestations_stay_at_home() -> None:
    Path("pyproject.toml").write_text(CONFIG, encoding="utf-8")
    assert run("upload", "dist", "--no-repository", "--extra-index", "file:index").code == 0
    assert not list(Path("index").rglob("*.provenance"))
    assert run("upload", "dist", "--no-repository", "--extra-index", "file:other", "--attestations").code == 0
    assert len(list(Path("other").rglob("*.provenance"))) == 1


def test_attestations_are_staged_with_their_files() -> None:
    assert run("upload", "dist", "--no-repository", "--stage", "foo").code == 0
    assert run("release", "foo", "--no-repository", "--offline").code == 0
    master = ProjectIndex.parse(Path("index/foo-bar/index.json").read_bytes())
    assert [file.filename for file in master.distributions if file.provenance] == [PLUS]


@contextmanager
def recorder() -> Iterator[tuple[str, list[bytes]]]:
    """Take uploads as a repository does, and keep their forms."""
    forms: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            forms.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200)

        def do_GET(self) -> None:
            self.answer(404)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield f"{address}/", forms


def test_the_repository_gets_the_attestation_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", "anything")
    attest(Path("dist") / GENERIC)
    with recorder() as (address, forms):
        monkeypatch.setattr("variant_publish.publish.pypi.TwineRepository.listed", lambda *_: ())
        run("upload", "dist", "--repository-url", address)
    (form,) = forms
    assert b'name="attestations"' in form
    assert (
        json.dumps([json.loads(Path(f"dist/{GENERIC}.publish.attestation").read_text(encoding="utf-8"))]).encode()
        in form
    )
