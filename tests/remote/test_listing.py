from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.http import running
from variant_publish.errors import UsageError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.remote.files import read_url
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import IndexUnavailable

SHA = "ab" * 32
HTML = f"""<!DOCTYPE html>
<html><head><meta name="pypi:repository-version" content="1.0"></head><body>
<a href="foo-1.0-py3-none-any%2Bcu128.whl#sha256={SHA}" data-requires-python="&gt;=3.9">foo-1.0-py3-none-any+cu128.whl</a>
<a href="https://files.example.org/foo-1.0-py3-none-any.whl" data-yanked="broken"
   data-core-metadata="sha256={SHA}">foo-1.0-py3-none-any.whl</a>
</body></html>
"""


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder; `/broken/` fails, and JSON has the type of PEP 691."""

    extensions_map = {".html": "text/html", ".json": "application/vnd.pypi.simple.v1+json"}  # noqa: RUF012

    def do_GET(self) -> None:
        if self.path.startswith("/broken/"):
            self.send_error(403)
        elif self.path.startswith("/json/"):
            self.path = self.path + "index.json"
            super().do_GET()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))) as address:
        yield address.replace("//", "//user:secret@")


def page(folder: Path, content: str = HTML, name: str = "index.html") -> Path:
    (folder / "foo").mkdir(parents=True, exist_ok=True)
    path = folder / "foo" / name
    path.write_text(content, "utf-8")
    return path


def master() -> str:
    own = IndexFile("foo-1.0-py3-none-any+cu128.whl", "foo-1.0-py3-none-any%2Bcu128.whl", SHA, size=7)
    other = IndexFile(
        "foo-1.0-py3-none-any.whl", "https://files.example.org/foo-1.0-py3-none-any.whl", "", yanked="broken"
    )
    return ProjectIndex("foo", (own, other), 3).dumps()


def test_an_html_page_over_http(tmp_path: Path, server: str) -> None:
    page(tmp_path)
    own, other = read_project(server + "/", "Foo")
    assert own.filename == "foo-1.0-py3-none-any+cu128.whl"
    assert own.url.endswith("/foo/foo-1.0-py3-none-any%2Bcu128.whl")
    assert (own.sha256, own.requires_python, own.yanked) == (SHA, ">=3.9", None)
    assert other.url == "https://files.example.org/foo-1.0-py3-none-any.whl"
    assert (other.sha256, other.yanked, other.metadata_sha256) == ("", "broken", SHA)


def test_a_json_page_over_http(tmp_path: Path, server: str) -> None:
    page(tmp_path / "json", master(), "index.json")
    own, other = read_project(server + "/json", "foo")
    assert own.url.endswith("/json/foo/foo-1.0-py3-none-any%2Bcu128.whl")
    assert (own.sha256, own.size, other.yanked) == (SHA, 7, "broken")


def test_the_file_of_a_page_can_be_read(tmp_path: Path, server: str) -> None:
    page(tmp_path)
    (tmp_path / "foo" / "foo-1.0-py3-none-any+cu128.whl").write_bytes(b"wheel")
    for index in (server, str(tmp_path), tmp_path.as_uri()):
        own, _ = read_project(index, "foo")
        assert read_url(own.url, 5) == b"wheel"
        with pytest.raises(IndexUnavailable, match="more than 4 bytes"):
            read_url(own.url, 4)


@pytest.mark.parametrize("form", ["path", "uri"])
def test_the_master_of_a_folder_index_comes_before_its_page(tmp_path: Path, form: str) -> None:
    page(tmp_path)
    page(tmp_path, master(), "index.json")
    own, other = read_project(str(tmp_path) if form == "path" else tmp_path.as_uri(), "foo")
    assert own == IndexFile(
        "foo-1.0-py3-none-any+cu128.whl",
        f"{tmp_path.resolve().as_uri()}/foo/foo-1.0-py3-none-any%2Bcu128.whl",
        SHA,
        size=7,
    )
    assert other.url.startswith("https://")


def test_an_html_page_in_a_folder(tmp_path: Path) -> None:
    page(tmp_path)
    own, _ = read_project(str(tmp_path), "foo")
    assert own.url == f"{tmp_path.resolve().as_uri()}/foo/foo-1.0-py3-none-any%2Bcu128.whl"


def test_a_flat_folder_holds_the_wheels_and_the_selector_files_of_their_versions(tmp_path: Path) -> None:
    for name in (
        "foo-1.0-py3-none-any+cu128.whl", "foo_bar-1.0-py3-none-any.whl", "nonsense.whl", "foo-1.0-variants.json",
        "foo-1.0-wheel-selector.toml", "foo-2.0-variants.json", "foo_bar-1.0-variants.json",
    ):  # fmt: skip
        (tmp_path / name).write_bytes(b"12")
    files = read_project(str(tmp_path), "foo")
    assert [file.filename for file in files] == [
        "foo-1.0-py3-none-any+cu128.whl", "foo-1.0-wheel-selector.toml", "foo-1.0-variants.json",
    ]  # fmt: skip
    assert files[0].size == 2
    assert read_url(files[0].url, 9) == b"12"
    assert [file.filename for file in read_project(str(tmp_path), "foo.bar")] == [
        "foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0-variants.json",
    ]  # fmt: skip


def test_a_relative_file_index_is_a_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page(tmp_path / "dist-index")
    monkeypatch.chdir(tmp_path)
    assert len(read_project("file:dist-index", "foo")) == 2


def test_a_project_that_is_not_there_has_no_files(tmp_path: Path, server: str) -> None:
    page(tmp_path)
    for index in (server, str(tmp_path), tmp_path.as_uri()):
        assert read_project(index, "bar") == ()


def test_an_index_that_fails_is_not_one_without_the_project(server: str) -> None:
    with pytest.raises(IndexUnavailable, match="403") as error:
        read_project(f"{server}/broken", "foo")
    assert "secret" not in str(error.value)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.remote.session.RETRIES", 0)
    with pytest.raises(IndexUnavailable, match=r"127\.0\.0\.1") as error:
        read_project("http://user:secret@127.0.0.1:9/simple", "foo")
    assert "secret" not in str(error.value)


def test_a_page_of_another_kind_is_unavailable(tmp_path: Path, server: str) -> None:
    page(tmp_path / "json", "[]", "index.json")
    with pytest.raises(IndexUnavailable):
        read_project(f"{server}/json", "foo")
    with pytest.raises(IndexUnavailable, match=r"index\.json"):
        read_project(str(tmp_path / "json"), "foo")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="no such folder"):
        read_project(str(tmp_path / "nowhere"), "foo")
    with pytest.raises(IndexUnavailable):
        read_url((tmp_path / "nowhere.whl").as_uri(), 1)


def test_an_index_of_another_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="s3://bucket"):
        read_project("s3://bucket/simple", "foo")


def test_user_names_and_passwords_are_hidden() -> None:
    assert redact("at https://me:secret@host/simple and file:///a") == "at https://host/simple and file:///a"
    for typed in ("//me:secret@host/simple", "https:me:secret@host/simple"):
        assert "secret" not in redact(typed)
