"""What a server may do, and how far it comes: every answer has a limit of size and a deadline."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.hostile import Behaviour, drips, misbehaving, redirects, says, shaking_hands_for_ever, without_end
from support.tls import Certificate, certificate
from variant_publish.formats.simple import IndexFile
from variant_publish.remote.files import download, read_url
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import IndexUnavailable, Transport

WHEEL = "foo-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.remote.listing.PAGE_LIMIT", 4_000_000)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.remote.transport.DEADLINE", 0.2)


def page(*files: dict[str, object]) -> bytes:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "foo", "files": files}).encode()


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (without_end(), "more than 4000000 bytes"),
        (without_end("application/vnd.pypi.simple.v1+json"), "more than 4000000 bytes"),
        (redirects("/foo/"), "redirects"),
        (redirects("file:///etc/passwd"), "file"),
        (says(b"{" * 100_000), "not PEP 691 JSON"),
        (says(b'{"a":' * 50_000), "not PEP 691 JSON"),
        (says(b'{"meta": {"api-version": "1.0"}, "files": 7}'), "not PEP 691 JSON"),
        (says(b"[]", "application/octet-stream"), "content type"),
        (says(b"", status=500), "500"),
    ],
)
def test_a_page_is_bounded_in_size(behaviour: Behaviour, words: str) -> None:
    with misbehaving({"/foo/": behaviour}) as address, pytest.raises(IndexUnavailable, match=words):
        read_project(address, "foo")


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("slow", [drips(), drips(headers=True), drips(chunked=True)])
def test_a_page_is_bounded_in_time(slow: Behaviour) -> None:
    start = time.monotonic()
    with misbehaving({"/foo/": slow, "/a/": redirects("/foo/")}) as address:
        for name in ("foo", "a"):
            with pytest.raises(IndexUnavailable, match="too slowly"):
                read_project(address, name)
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("content", [drips(), drips(chunked=True), without_end()])
def test_the_content_of_a_redirect_is_not_read(content: Behaviour) -> None:
    start = time.monotonic()
    behaviours = {"/a/": redirects("/foo/", content), "/foo/": says(page({"filename": WHEEL, "url": WHEEL}))}
    with misbehaving(behaviours) as address:
        assert read_project(address, "a") == (IndexFile(WHEEL, f"{address}/foo/{WHEEL}", ""),)
    assert time.monotonic() - start < 60


@pytest.fixture(scope="module")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


def test_a_page_over_https_is_read(loopback: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(loopback.authority))
    good: dict[str, object] = {"filename": WHEEL, "url": WHEEL}
    with misbehaving({"/a/": redirects("/foo/"), "/foo/": says(page(good))}, loopback.context) as address:
        assert read_project(address, "a") == (IndexFile(WHEEL, f"{address}/foo/{WHEEL}", ""),)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(IndexUnavailable, match="certificate verify failed"):
            read_project(address, "foo")


def test_nothing_is_asked_over_http_where_https_redirects_there(
    loopback: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(loopback.authority))
    asked: list[str] = []
    with misbehaving({"/foo/": lambda handler: asked.append(handler.path)}) as plain:
        behaviours = {"/foo/": redirects("/more/"), "/more/": redirects(f"{plain}/foo/", without_end())}
        with (
            misbehaving(behaviours, loopback.context) as address,
            pytest.raises(IndexUnavailable, match="it redirects from https to http"),
        ):
            read_project(address, "foo")
    assert not asked


@pytest.mark.usefixtures("soon")
def test_a_tls_handshake_without_end_is_given_up() -> None:
    start = time.monotonic()
    with shaking_hands_for_ever() as address, pytest.raises(IndexUnavailable, match="too slowly"):
        read_project(address, "foo")
    assert time.monotonic() - start < 60


def test_a_gzip_bomb_is_bounded_too() -> None:
    bomb = gzip.compress(b" " * 20_000_000)

    def answer(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        for name, value in (("Content-Type", "text/html"), ("Content-Encoding", "gzip")):
            handler.send_header(name, value)  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(bomb)  # type: ignore[attr-defined]

    with misbehaving({"/foo/": answer}) as address, pytest.raises(IndexUnavailable, match="more than"):
        read_project(address, "foo")


def test_a_server_does_not_say_how_long_to_wait() -> None:
    def busy(handler: object) -> None:
        handler.send_response(503)  # type: ignore[attr-defined]
        for name, value in (("Retry-After", "86400"), ("Content-Length", "0")):
            handler.send_header(name, value)  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]

    start = time.monotonic()
    with misbehaving({"/foo/": busy}) as address, pytest.raises(IndexUnavailable):
        read_project(address, "foo")
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    "change",
    [
        {"filename": "/etc/cron.d/x.whl"},
        {"filename": "foo-1.0-a-b-c/../../x.whl"},
        {"filename": "foo-1.0-1/../../2-py3-none-any.whl"},
        {"filename": "foo-1.0-py3-none-any.whl\n::set-output name=x::y"},
        {"filename": "C:foo-1.0-py3-none-any.whl"},
        {"filename": "..\\foo-1.0-py3-none-any.whl"},
        {"filename": ".foo"},
        {"filename": 7},
        {"url": "file:///etc/passwd"},
        {"url": "file://host/share/foo-1.0-py3-none-any.whl"},
        {"url": "ftp://host/foo-1.0-py3-none-any.whl"},
        {"url": "javascript:alert(1)"},
        {"url": "https://[x/foo-1.0-py3-none-any.whl"},
        {"url": "\\\\host\\share\\x.whl"},
        {"url": None},
        {"hashes": {"sha256": "../../x"}},
        {"hashes": {"sha256": "0" * 63}},
        {"hashes": []},
        {"size": -1},
        {"size": "1"},
        {"size": 1 << 80},
        {"size": True},
        {"requires-python": 3},
        {"yanked": {"a": 1}},
        {"upload-time": "yesterday"},
        {"provenance": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_an_entry_that_no_index_may_have_is_left_out(change: dict[str, object]) -> None:
    good = {"filename": WHEEL, "url": WHEEL, "hashes": {"sha256": "a" * 64}}
    with misbehaving({"/foo/": says(page(good | change, good, []))}) as address:  # type: ignore[arg-type]
        (file,) = read_project(address, "foo")
    assert (file.filename, file.url) == (WHEEL, f"{address}/foo/{WHEEL}")


@pytest.mark.parametrize("html", [False, True])
def test_an_index_without_an_entry_that_is_right_says_what_it_has(html: bool) -> None:
    names = ("-1.0-py3-none-any.whl", "foo 1.0.tar.gz", ".htaccess")
    links = "".join(f"<a href='{name}'>x</a>" for name in names).encode()
    entries: list[dict[str, object]] = [{"filename": name, "url": "x"} for name in names]
    table = page(*entries)
    with (
        misbehaving({"/foo/": says(links, "text/html") if html else says(table)}) as address,
        pytest.raises(IndexUnavailable, match=r"none of its 2 files can be used: the entry '-1\.0-py3-none-any\.whl'"),
    ):
        read_project(address, "foo")


@pytest.mark.parametrize(
    ("size", "words"), [(3, "more than 3 bytes"), (9, "it has 5 bytes, and the index lists 9"), (None, "SHA-256")]
)
def test_a_download_is_what_is_listed_or_not_there(tmp_path: Path, size: int | None, words: str) -> None:
    with misbehaving({"/x": says(b"wheel")}) as address:
        file = IndexFile(WHEEL, f"{address}/x", hashlib.sha256(b"other").hexdigest(), size)
        with pytest.raises(IndexUnavailable, match=words):
            download(file, tmp_path / WHEEL)
    assert list(tmp_path.iterdir()) == []


def test_a_download_without_end_stops_at_the_listed_size(tmp_path: Path) -> None:
    transport = Transport()
    with misbehaving({"/x": without_end()}) as address:
        with pytest.raises(IndexUnavailable, match="more than 500000 bytes"):
            download(IndexFile(WHEEL, f"{address}/x", "a" * 64, 500_000), tmp_path / WHEEL, transport=transport)
        assert transport.bytes_read == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("soon")
def test_a_slow_download_is_given_up(tmp_path: Path) -> None:
    with misbehaving({"/x": drips()}) as address, pytest.raises(IndexUnavailable):
        download(IndexFile(WHEEL, f"{address}/x", "a" * 64, 1_000), tmp_path / WHEEL)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_a_hash_goes_to_disk_and_not_into_memory(tmp_path: Path) -> None:
    with misbehaving({"/x": says(b"wheel")}) as address:
        download(IndexFile(WHEEL, f"{address}/x", ""), tmp_path / WHEEL)
    assert (tmp_path / WHEEL).read_bytes() == b"wheel"


def test_content_with_another_hash_is_refused(tmp_path: Path) -> None:
    with misbehaving({"/x": says(b"text")}) as address:
        assert read_url(f"{address}/x", 10, hashlib.sha256(b"text").hexdigest()) == b"text"
        with pytest.raises(IndexUnavailable, match="another SHA-256"):
            read_url(f"{address}/x", 10, "a" * 64)


def test_a_device_is_no_file_of_an_index() -> None:
    with pytest.raises(IndexUnavailable, match="no such file"):
        read_url("file:///dev/zero", 10)


@contextmanager
def deaf(count: int) -> Iterator[list[str]]:
    """Give the addresses of servers that listen and never accept."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            server = stack.enter_context(socket.socket())
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            found.append(f"http://127.0.0.1:{server.getsockname()[1]}")
        yield found


def test_many_dead_servers_cost_no_more_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.remote.transport.TIMEOUT", 0.2)
    monkeypatch.setattr("variant_publish.remote.transport.PATIENCE", 1.0)
    monkeypatch.setattr("variant_publish.remote.transport._AT_ONCE", 0.1)
    start, transport = time.monotonic(), Transport()
    with deaf(50) as addresses, misbehaving({"/x": says(b"x")}) as good:
        assert transport.get(f"{good}/x", 1).content == b"x"
        reasons = []
        for address in addresses:
            with pytest.raises(IndexUnavailable) as caught:
                transport.get(f"{address}/x", 1)
            reasons.append(caught.value.message)
        assert Transport().get(f"{good}/x", 1).content == b"x"
    assert time.monotonic() - start < 10
    assert "timed out" in reasons[0]
    assert re.search(r"servers took [0-9]+ seconds and gave nothing, so no more are asked", reasons[-1])


def test_a_name_without_an_address_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def resolving_for_ever(_: object) -> socket.socket:
        asked.wait(20)
        raise OSError("nobody waits for this any more")

    monkeypatch.setattr("variant_publish.remote.session._connect", resolving_for_ever)
    monkeypatch.setattr("variant_publish.remote.session.CONNECTING", 0.2)
    start = time.monotonic()
    with pytest.raises(IndexUnavailable, match=r"its server was not reached within 0\.2 seconds"):
        read_project("http://index.invalid/simple", "foo")
    assert time.monotonic() - start < 3
    asked.set()


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    late, released = socket.socket(), threading.Event()

    def slow(_: object) -> socket.socket:
        released.wait(20)
        return late

    monkeypatch.setattr("variant_publish.remote.session._connect", slow)
    monkeypatch.setattr("variant_publish.remote.session.CONNECTING", 0.1)
    with pytest.raises(IndexUnavailable, match="not reached"):
        read_project("http://index.invalid/simple", "foo")
    released.set()
    for _ in range(200):
        if late.fileno() == -1:
            return
        time.sleep(0.01)
    raise AssertionError("the connection stays open")
