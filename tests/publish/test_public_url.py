"""An upload whose files nobody can read is no success."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.cli import run as run_command
from support.http import running
from support.moto import BUCKET, Moto
from support.publishing import CONFIG, GENERIC, PLUS, make_release, run
from variant_publish.formats.simple import IndexFile
from variant_publish.index.masters import read_index
from variant_publish.publish.destinations import fault_of_public_url
from variant_publish.store.folder import LocalStore
from variant_publish.store.places import open_store
from variant_publish.store.s3 import S3Store


@contextmanager
def answering(status: int) -> Iterator[str]:
    """Serve nothing but a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address


def entries(store: S3Store) -> list[IndexFile]:
    index = read_index(store, "foo-bar")
    assert index is not None
    return list(index.distributions)


def test_what_users_can_read_there_is_no_fault_and_the_rest_says_why(moto: Moto, tmp_path: Path) -> None:
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        run(make_release(tmp_path / "dist"), store)
        files = entries(store)
        address = f"{moto.endpoint_url}/{BUCKET}"
        assert fault_of_public_url(store, f"{address}/simple/", "foo-bar", files) == ""
        wrong = fault_of_public_url(store, f"{address}/other", "foo-bar", files)
        assert f"{address}/other/foo-bar/ does not serve what is in s3://{BUCKET}/simple" in wrong
        key = next(file for file in files if file.metadata_sha256).filename
        moto.client.put_object(Bucket=BUCKET, Key=f"simple/foo-bar/{key}.metadata", Body=b"other")
        assert "serves something else" in fault_of_public_url(store, f"{address}/simple", "foo-bar", files)
        assert "cannot be read" in fault_of_public_url(store, "http://127.0.0.1:9", "foo-bar", files)
        for status in (401, 403):
            with answering(status) as denied:
                fault = fault_of_public_url(store, denied, "foo-bar", files)
            assert f"answers {status}, so users cannot read" in fault
            assert f"allow s3:GetObject on s3://{BUCKET}/simple" in fault
            assert "bucket-policy.json" in fault


def test_a_container_that_nobody_can_read_is_opened_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    store = open_store("az://wheels/simple")
    with answering(403) as denied:
        fault = fault_of_public_url(store, denied, "foo-bar", [])
    assert fault.endswith(": allow everybody, or the CDN in front, to read what lies in az://wheels/simple")


def test_a_folder_is_served_by_whoever_serves_it(tmp_path: Path) -> None:
    assert fault_of_public_url(LocalStore(tmp_path), "http://127.0.0.1:9", "foo", []) == ""


@pytest.mark.slow
def test_an_upload_that_nobody_can_read_ends_in_exit_code_1(moto: Moto, tmp_path: Path) -> None:
    make_release(tmp_path / "dist", GENERIC, PLUS)
    (tmp_path / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    options = ("upload", str(tmp_path / "dist"), "--config", str(tmp_path / "pyproject.toml"), "--no-repository",
               "--extra-index", f"s3://{BUCKET}/simple", "--endpoint-url", moto.endpoint_url)  # fmt: skip
    with answering(403) as address:
        for _ in range(2):  # a run that changes nothing says so too
            result = run_command(*options, "--public-url", address)
            assert result.code == 1
            assert "allow s3:GetObject" in result.stderr
            assert "users: pip install" not in result.stdout
        told = json.loads(run_command(*options, "--public-url", address, "--format", "json").stdout)
    published = told["releases"][0]["published"]
    assert published["complete"] is False
    assert "answers 403" in published["unreadable"][0]
    assert run_command(*options, "--public-url", f"{moto.endpoint_url}/{BUCKET}/simple").code == 0
