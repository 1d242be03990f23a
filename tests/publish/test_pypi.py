"""Repositories: real servers behind twine, and what is made of their answers."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from support.http import running
from support.publishing import GENERIC, PLUS, SDIST, make_release, run, snapshot
from support.pypi import PASSWORD, USER, devpi, pypiserver
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload
from variant_publish.publish.pypi import TwineRepository
from variant_publish.remote.listing import read_project
from variant_publish.store.objects import Conflict, CreateOutcome


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give twine the credentials of the tests, and nothing of this machine."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TWINE_USERNAME", USER)
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    for name in ("TWINE_REPOSITORY", "TWINE_REPOSITORY_URL", "TWINE_CERT"):
        monkeypatch.delenv(name, raising=False)


def repository(address: str, **changes: str) -> TwineRepository:
    return TwineRepository(msgspec.structs.replace(UploadTable(), repository_url=address, **changes))


def upload_of(path: Path) -> Upload:
    wheel = WholeWheel.read(path)
    return Upload("foo-bar", path, IndexFile(path.name, path.name, wheel.sha256, wheel.size))


def upload_lines(root: Path, address: str) -> str:
    return f'extra-index = "{(root / "extra").as_uri()}"\nrepository-url = "{address}"\n'


@pytest.mark.parametrize(
    ("address", "indexes"),
    [
        ("https://upload.example.org/legacy/", ("https://example.org/simple/",)),
        ("https://test.example.org/legacy/", ("https://test.example.org/simple/",)),
        (
            "https://example.org/root/wheels/",
            (
                "https://example.org/root/wheels/simple/",
                "https://example.org/root/wheels/+simple/",
                "https://example.org/root/wheels/",
            ),
        ),
    ],
)
def test_where_a_repository_shows_its_files(address: str, indexes: tuple[str, ...]) -> None:
    assert repository(address).simple_indexes() == indexes
    assert repository(address, repository_index="https://h/simple").simple_indexes() == ("https://h/simple",)


def test_a_project_is_tracked_only_where_its_page_is_known() -> None:
    assert (
        repository("https://upload.example.org/legacy/").project_url("Foo_Bar") == "https://example.org/simple/foo-bar/"
    )
    assert repository("https://example.org/root/wheels/").project_url("foo") is None


def test_names_and_addresses_are_those_of_pypirc(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.pypirc").write_text(
        "[distutils]\nindex-servers = mine\n[mine]\nrepository = https://mine.example.org/legacy/\n"
    )
    named = TwineRepository(msgspec.structs.replace(UploadTable(), repository="mine"))
    assert named.url == "https://mine.example.org/legacy/"
    assert named.describe() == "mine"
    with pytest.raises(VariantPublishError, match="Missing 'other' section"):
        _ = TwineRepository(msgspec.structs.replace(UploadTable(), repository="other")).url


def test_missing_credentials_are_told_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    monkeypatch.delenv("TWINE_PASSWORD")
    with pytest.raises(VariantPublishError, match="no credentials") as caught:
        repository("https://example.org/root/wheels/").preflight([])
    assert "TWINE_USERNAME" in str(caught.value.hint)


def test_a_password_in_an_address_is_never_shown(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, GENERIC)
    target = repository(f"http://me:{PASSWORD}@127.0.0.1:1/legacy/")
    assert PASSWORD not in target.describe()
    assert PASSWORD not in str(target.project_url("foo"))
    with closing(target), pytest.raises(VariantPublishError, match="cannot be reached") as caught:
        target.upload(upload_of(path))
    assert PASSWORD not in str(caught.value)


@contextmanager
def answering(status: int, reason: str, body: str, location: str = "") -> Iterator[str]:
    """Run a server that gives one answer to every upload."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status, reason)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield f"{address}/legacy/"


@pytest.mark.parametrize(
    ("status", "reason", "body", "said", "remedy"),
    [
        (400, "Bad Request", "<html><title>400</title><h1>Invalid classifier</h1></html>", "Invalid classifier", "correct"),
        (403, "Invalid or non-existent authentication information.", "", "Invalid or non-existent", "TWINE_PASSWORD"),
        (403, "Forbidden", f"the token {PASSWORD} has no right", "the token *** has no right", "TWINE_PASSWORD"),
        (400, "Bad Request", "File already exists", "already exists", "never used twice"),
        (409, "Conflict", '{"message": "a.whl already exists"}', "a.whl already exists", "never used twice"),
        (413, "Request Entity Too Large", "", "413", "upload.large"),
        (404, "Not Found", "", "404", "repository-url"),
    ],
)  # fmt: skip
def test_a_refusal_tells_the_reason_and_the_remedy(
    tmp_path: Path, status: int, reason: str, body: str, said: str, remedy: str
) -> None:
    path = make_wheel(tmp_path, GENERIC)
    with (
        answering(status, reason, body) as address,
        closing(repository(address)) as target,
        pytest.raises(VariantPublishError) as caught,
    ):
        target.upload(upload_of(path))
    assert said in caught.value.message
    assert GENERIC in caught.value.message
    assert remedy in str(caught.value.hint)
    assert PASSWORD not in str(caught.value)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, GENERIC)
    with (
        answering(301, "Moved", "", "http://elsewhere.example.org/") as address,
        closing(repository(address)) as target,
        pytest.raises(VariantPublishError, match=r"elsewhere\.example\.org"),
    ):
        target.upload(upload_of(path))


def test_a_file_that_is_not_shown_in_time_is_left_out() -> None:
    with answering(200, "OK", "") as address:
        assert repository(address).listed("foo-bar", {GENERIC: "ab" * 32}, 0) == ()


def test_a_release_whose_files_are_not_shown_yet_is_completed_later(tmp_path: Path) -> None:
    with answering(200, "OK", "") as address:
        release = make_release(tmp_path / "dist", upload=upload_lines(tmp_path, address))
        _, published = run(release, deadline_s=0)
    assert published.missing == (GENERIC,)
    assert not published.is_complete
    listed = {file.filename for file in read_project((tmp_path / "extra").as_uri(), "foo-bar")}
    assert PLUS in listed
    assert GENERIC not in listed


@pytest.mark.slow
def test_pypiserver(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pypiserver(tmp_path / "packages", password=PASSWORD) as address:
        release = make_release(tmp_path / "dist", upload=upload_lines(tmp_path, address))
        plan, published = run(release)
        assert set(published.sent) == {GENERIC, PLUS}
        assert plan.changes
        before = snapshot(tmp_path)
        plan, published = run(release)
        assert not plan.changes
        assert not published.changed
        assert snapshot(tmp_path) == before
        files = {file.filename: file for file in read_project((tmp_path / "extra").as_uri(), "foo-bar")}
        assert files[GENERIC].url.startswith(address)
        assert files[GENERIC].sha256 == hashlib.sha256((tmp_path / "dist" / GENERIC).read_bytes()).hexdigest()
        assert files[GENERIC].size == (tmp_path / "dist" / GENERIC).stat().st_size
    # Twine prints what it does; standard output belongs to results.
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_pypiserver_refuses_a_wrong_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "planted-wrong-password")
    with pypiserver(tmp_path / "packages", password=PASSWORD) as address, pytest.raises(VariantPublishError) as caught:
        run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path, address)))
    assert "403" in caught.value.message
    assert "planted" not in str(caught.value)
    assert not (tmp_path / "extra/foo-bar/index.html").exists()


@pytest.mark.slow
def test_a_repeat_on_pypiserver_is_no_error_and_other_bytes_are(tmp_path: Path) -> None:
    path = make_wheel(tmp_path / "one", GENERIC)
    other = make_wheel(tmp_path / "two", GENERIC, files={"foo_bar.py": b"other"})
    with pypiserver(tmp_path / "packages") as address, closing(repository(address)) as target:
        assert target.upload(upload_of(path)) is CreateOutcome.CREATED
        assert target.upload(upload_of(path)) is CreateOutcome.ALREADY_THERE
        with pytest.raises(Conflict, match="other bytes"):
            target.upload(upload_of(other))


@pytest.mark.slow
def test_an_sdist_goes_last_and_is_listed(tmp_path: Path) -> None:
    with pypiserver(tmp_path / "packages") as address:
        upload = upload_lines(tmp_path, address)
        make_sdist(tmp_path / "dist")
        release = make_release(tmp_path / "dist", upload=upload)
        _, published = run(release)
        assert published.sent == (PLUS, GENERIC, SDIST)
        listed = {file.filename for file in read_project((tmp_path / "extra").as_uri(), "foo-bar")}
        assert listed == {PLUS, GENERIC, SDIST, "foo-bar-1.0-wheel-selector.toml"}
        assert not run(release)[0].changes


@pytest.mark.slow
def test_a_file_that_twine_cannot_read_stops_everything_first(tmp_path: Path) -> None:
    with pypiserver(tmp_path / "packages") as address, pytest.raises(VariantPublishError, match=SDIST) as caught:
        run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path, address), sdist=True))
    assert "build it again" in str(caught.value.hint)
    assert not (tmp_path / "extra/foo-bar").exists()
    assert snapshot(tmp_path / "packages") == {}


def make_sdist(folder: Path) -> None:
    folder.mkdir(parents=True)
    content = b"Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0\n"
    with tarfile.open(folder / SDIST, "w:gz") as archive:
        for name in ("PKG-INFO", "pyproject.toml"):
            member = tarfile.TarInfo(f"{SDIST.removesuffix('.tar.gz')}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.slow
def test_a_password_of_the_index_does_not_reach_the_page(tmp_path: Path) -> None:
    with pypiserver(tmp_path / "packages") as address:
        private = address.replace("http://", f"http://me:{PASSWORD}@") + "simple/"
        upload = upload_lines(tmp_path, address) + f'repository-index = "{private}"\n'
        plan, _ = run(make_release(tmp_path / "dist", upload=upload))
        assert plan.inventory.repository == address
    for path in (tmp_path / "extra").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("variant", [PLUS, GENERIC.replace(".whl", "-cu128.whl"), GENERIC.replace("1.0", "1.0+cu128")])
def test_a_repository_that_takes_variants_gets_them(tmp_path: Path, variant: str) -> None:
    with pypiserver(tmp_path / "packages") as address:
        path = make_wheel(tmp_path / "dist", variant)
        wheel = WholeWheel.read(path)
        upload = Upload("foo-bar", path, IndexFile(path.name, path.name, wheel.sha256, wheel.size))
        with closing(repository(address)) as target:
            assert target.upload(upload) is CreateOutcome.CREATED
            (shown,) = target.listed("foo-bar", {variant: wheel.sha256}, 5)
            assert shown.sha256 == wheel.sha256


@pytest.mark.slow
def test_devpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "root")
    with devpi(tmp_path) as address:
        assert repository(address).existing("foo-bar") == ()
        release = make_release(tmp_path / "dist", upload=upload_lines(tmp_path, address))
        _, published = run(release)
        assert set(published.sent) == {GENERIC, PLUS}
        before = snapshot(tmp_path / "extra")
        plan, published = run(release)
        assert not plan.changes
        assert snapshot(tmp_path / "extra") == before
        make_wheel(tmp_path / "other", GENERIC, files={"foo_bar.py": b"other"})
        with pytest.raises(Conflict, match=r"foo_bar-1\.0"):
            run(make_release(tmp_path / "other", PLUS, upload=upload_lines(tmp_path, address)))
        files = {file.filename: file for file in read_project((tmp_path / "extra").as_uri(), "foo-bar")}
        assert files[GENERIC].url.startswith(address.removesuffix("root/wheels/"))
