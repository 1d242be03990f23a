"""The view as an application: pages, files, and what a stranger gets to know."""

from __future__ import annotations

import hashlib
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from support.http import serving as static
from support.variants import ABI, VARIANTS, write_release
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex, RootIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.providers.machine import Machine
from variant_publish.serve.application import ViewApplication
from variant_publish.serve.loopback import serving
from variant_publish.serve.projects import Projects
from variant_publish.serve.view_page import JSON
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes

HERE = Machine.detect({}).described({"cuda": "12.9"})


def projects(tmp_path: Path, *indexes: str | Path, default: str | None = None, machine: Machine = HERE) -> Projects:
    return Projects(Indexes.parse(map(str, indexes)), default, machine, WheelCache(tmp_path / "cache"))


class Browser(Client):
    """Read every answer to its end."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, **{"buffered": True, **kwargs})


def client(seen: Projects, **options: Any) -> Browser:
    return Browser(ViewApplication(seen, "/secret", **options))


def listed(answer: Any) -> dict[str, dict[str, Any]]:
    return {file["filename"]: file for file in answer.json["files"]}


def page_of(folder: Path, index: Path) -> Path:
    """Make a static index of a flat folder, with hashes."""
    project = index / "foo"
    project.mkdir(parents=True)
    entries = []
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        (project / path.name).write_bytes(content)
        entries.append(IndexFile(path.name, path.name, hashlib.sha256(content).hexdigest(), len(content)))
    links = "".join(f'<a href="{file.url}#sha256={file.sha256}">{file.filename}</a>\n' for file in entries)
    (project / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n", encoding="utf-8")
    (project / "index.json").write_text(ProjectIndex("foo", tuple(entries)).dumps(), encoding="utf-8")
    return index


def test_the_best_variant_stands_under_its_plain_name(tmp_path: Path) -> None:
    page = client(projects(tmp_path, write_release(tmp_path / "w"))).get(
        "/secret/simple/foo/", headers={"Accept": JSON}
    )
    assert list(listed(page)) == ["foo-1.0-py3-none-any.whl"]
    answer = client(projects(tmp_path, tmp_path / "w")).get("/secret/files/foo/foo-1.0-py3-none-any.whl")
    assert answer.data == (tmp_path / "w" / "foo-1.0-py3-none-any-cu128.whl").read_bytes()


def test_html_says_the_same_as_json(tmp_path: Path) -> None:
    html = client(projects(tmp_path, write_release(tmp_path / "w", ABI))).get("/secret/simple/foo/").text
    assert 'href="../../files/foo/foo-1.0%2Btorch2.9-py3-none-any.whl"' in html
    assert html.count("<a ") == 3
    assert 'data-core-metadata="true"' in html


def test_a_build_against_a_dependency_is_rewritten_once_and_its_metadata_is_true(tmp_path: Path) -> None:
    write_release(tmp_path / "w", ABI, requires=["torch", "bar; extra == 'x'"])
    browser = client(projects(tmp_path, tmp_path / "w"))
    url = "/secret/files/foo/foo-1.0%2Btorch2.9-py3-none-any.whl"
    answer = browser.get(url)
    path = tmp_path / "foo-1.0+torch2.9-py3-none-any.whl"
    path.write_bytes(answer.data)
    wheel = WholeWheel.read(path)
    assert wheel.metadata.requires_dist == ("torch", "bar; extra == 'x'", "torch==2.9.*")
    assert wheel.dist_info == "foo-1.0+torch2.9.dist-info"
    assert wheel.variant_json is not None
    assert browser.get(f"{url}.metadata").data == bytes(wheel.metadata)
    part = browser.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, answer.data[2:6])
    assert browser.head(url).headers["Content-Length"] == str(len(answer.data))
    assert browser.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_rewritten_wheel_that_was_changed_in_the_cache_is_made_anew(tmp_path: Path) -> None:
    seen = projects(tmp_path, write_release(tmp_path / "w", ABI))
    url = "/secret/files/foo/foo-1.0%2Btorch2.9-py3-none-any.whl"
    whole = client(seen).get(url).data
    (made,) = (tmp_path / "cache").rglob("foo-1.0+torch2.9*.whl")
    made.write_bytes(b"something else")
    assert client(seen).get(url).data == whole


def test_a_project_without_variants_is_a_redirect_to_where_it_is(tmp_path: Path) -> None:
    make_wheel(tmp_path / "i" / "foo", "foo-1.0-py3-none-any.whl")
    (tmp_path / "i" / "foo" / "index.html").write_text('<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>',
                                                       encoding="utf-8")  # fmt: skip
    with static(tmp_path / "i") as url:
        answer = client(projects(tmp_path, url)).get("/secret/simple/foo/")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{url}/foo/")
        other = client(projects(tmp_path, url, default="https://other.example/simple")).get("/secret/simple/bar/")
        assert other.headers["Location"] == "https://other.example/simple/bar/"
        assert client(projects(tmp_path, url)).get("/secret/simple/bar/").status_code == 404


def test_a_project_that_somebody_put_beside_an_index_of_ours_is_not_asked_of_another_index(tmp_path: Path) -> None:
    (tmp_path / "i" / "bar").mkdir(parents=True)
    (tmp_path / "i" / "bar" / "index.html").write_text('<a href="bar-1.0.zip">bar-1.0.zip</a>', encoding="utf-8")
    (tmp_path / "i" / "index.json").write_text(RootIndex(("foo",), 3).dumps(), encoding="utf-8")
    with static(tmp_path / "i") as url:
        answer = client(projects(tmp_path, url, default="https://other.example/simple")).get("/secret/simple/bar/")
    assert answer.headers["Location"] == f"{url}/bar/"


def test_a_label_wheel_is_a_redirect_to_its_bytes(tmp_path: Path) -> None:
    index = page_of(write_release(tmp_path / "w"), tmp_path / "i")
    with static(index) as url:
        browser = client(projects(tmp_path, url))
        answer = browser.get("/secret/files/foo/foo-1.0-py3-none-any.whl")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{url}/foo/foo-1.0-py3-none-any-cu128.whl")
        (entry,) = listed(browser.get("/secret/simple/foo/", headers={"Accept": JSON})).values()
    content = (tmp_path / "w" / "foo-1.0-py3-none-any-cu128.whl").read_bytes()
    assert entry["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}


def test_credentials_never_reach_the_client(tmp_path: Path) -> None:
    index = page_of(write_release(tmp_path / "w"), tmp_path / "i")
    with static(index) as url:
        secret = url.replace("://", "://user:word@")
        browser = client(projects(tmp_path, secret))
        page = browser.get("/secret/simple/foo/")
        answer = browser.get("/secret/files/foo/foo-1.0-py3-none-any.whl", headers={"Range": "bytes=0-3"})
        assert "word" not in page.text + str(page.headers) + str(answer.headers)
        assert answer.data[:2] == b"PK"


def test_a_file_that_is_listed_and_not_there_is_not_found(tmp_path: Path) -> None:
    index = page_of(write_release(tmp_path / "w"), tmp_path / "i")
    browser = client(projects(tmp_path, index))
    names = listed(browser.get("/secret/simple/foo/", headers={"Accept": JSON}))
    for path in (index / "foo").glob("*.whl"):
        path.unlink()
    assert names
    for name in names:
        answer = browser.get(f"/secret/files/foo/{name}")
        assert answer.status_code in (404, 424)
        assert "is listed and not there" in answer.text or "there is no such file" in answer.text


def test_only_its_own_host_and_path_are_answered(tmp_path: Path) -> None:
    browser = client(projects(tmp_path, write_release(tmp_path / "w")), host="127.0.0.1:8000")
    good = {"base_url": "http://127.0.0.1:8000"}
    assert browser.get("/secret/simple/foo/", **good).status_code == 200
    assert browser.get("/secret/simple/foo/", base_url="http://evil.example:8000").status_code == 404
    assert browser.get("/simple/foo/", **good).status_code == 404
    assert browser.post("/secret/simple/foo/", **good).status_code == 405
    assert browser.get("/secret/files/foo/..%2f..%2fetc%2fpasswd", **good).status_code == 404
    assert browser.get("/secret/simple/Foo", **good).headers["Location"].endswith("/secret/simple/foo/")


def test_the_first_index_that_has_a_project_owns_it(tmp_path: Path) -> None:
    write_release(tmp_path / "one", version="1.0", tag="cp27-cp27m-win32")
    write_release(tmp_path / "two", version="2.0")
    page = client(projects(tmp_path, tmp_path / "one", tmp_path / "two")).get(
        "/secret/simple/foo/", headers={"Accept": JSON}
    )
    assert list(listed(page)) == ["foo-1.0-cp27-cp27m-win32.whl"]


def test_what_is_wrong_is_said_in_the_status(tmp_path: Path) -> None:
    problems: list[VariantPublishError] = []
    browser = client(projects(tmp_path, "http://127.0.0.1:9/simple"), problem=problems.append)
    answer = browser.get("/secret/simple/foo/")
    assert answer.status_code == 424
    assert "cannot be read" in answer.text
    assert len(problems) == 1


def test_a_newest_release_that_cannot_be_evaluated_is_an_error_and_not_the_older_one(tmp_path: Path) -> None:
    write_release(tmp_path / "w")
    make_wheel(tmp_path / "w", "foo-2.0-py3-none-any.whl")
    make_wheel(tmp_path / "w", "foo-2.0-py3-none-any+mkl.whl")
    (tmp_path / "w" / "foo-2.0-wheel-selector.toml").write_text(
        '[wheel-selector]\nvariables = ["blas"]\n[selector.blas]\nrequires = ["blas"]\nfunction = ["blas:get"]\n'
        '[selector.blas.wheel_tags]\nmkl = ["mkl"]\n',
        encoding="utf-8",
    )
    answer = client(projects(tmp_path, tmp_path / "w")).get("/secret/simple/foo/")
    assert answer.status_code == 424
    assert "selector variable 'blas' has no value on this machine" in answer.text
    here = HERE.described({"blas": "mkl"})
    page = client(projects(tmp_path, tmp_path / "w", machine=here)).get("/secret/simple/foo/")
    assert "foo-2.0-py3-none-any.whl" in page.text


@pytest.mark.parametrize("variants", [VARIANTS, ABI])
def test_every_name_is_listed_once(tmp_path: Path, variants: dict[str, list[str]]) -> None:
    page = client(projects(tmp_path, write_release(tmp_path / "w", variants))).get("/secret/simple/foo/").text
    names = [part.partition("<")[0] for part in page.split(">") if ".whl<" in part]
    assert len(names) == len({*names}) > 0


def test_a_rewritten_wheel_has_no_size_on_the_page_and_any_other_its_own(tmp_path: Path) -> None:
    page = client(projects(tmp_path, write_release(tmp_path / "w", ABI))).get(
        "/secret/simple/foo/", headers={"Accept": JSON}
    )
    sizes = {name: file.get("size") for name, file in listed(page).items()}
    plain = "foo-1.0-py3-none-any.whl"
    assert sizes == {**dict.fromkeys(sizes), plain: (tmp_path / "w" / plain).stat().st_size}
    assert sizes.keys() > {plain}
    assert '"api-version": "1.0"' in page.text
    other = client(projects(tmp_path, write_release(tmp_path / "v"))).get(
        "/secret/simple/foo/", headers={"Accept": JSON}
    )
    label = tmp_path / "v" / "foo-1.0-py3-none-any-cu128.whl"
    assert [file["size"] for file in listed(other).values()] == [label.stat().st_size]
    assert '"api-version": "1.1"' in other.text


def test_one_connection_serves_many_requests(tmp_path: Path) -> None:
    with serving(projects(tmp_path, write_release(tmp_path / "w"))) as view:
        address = urlsplit(view.url)
        connection = HTTPConnection(str(address.netloc))
        for path, status in (
            ("foo/", 200),
            ("none/", 404),
            ("foo", 308),
            ("../files/foo/foo-1.0-py3-none-any.whl", 200),
        ):
            connection.request("GET", f"{address.path}{path}".replace("simple/../", ""))
            answer = connection.getresponse()
            assert (answer.status, answer.will_close) == (status, False)
            answer.read()
        connection.request("POST", address.path, body=b"GET / HTTP/1.1\r\n\r\n")
        answer = connection.getresponse()
        assert answer.status == 405
        answer.read()
        assert connection.sock.recv(1) == b""  # a body that nobody read ends the connection
        connection.close()


@pytest.mark.parametrize(("cuda", "status"), [("12.7", 200), ("12.9", 424)])
def test_a_wheel_whose_pin_would_not_hold_is_not_handed_over(tmp_path: Path, cuda: str, status: int) -> None:
    write_release(tmp_path / "w", name="bar")
    pins = b"bar+cu126==1.0\nnum+pypi==2.0\nbar+none==1.0; python_version < '3'\n"
    make_wheel(tmp_path / "w", "app-1.0-py3-none-any.whl", extra_info={"abi-requires.txt": pins})
    machine = HERE.described({"cuda": cuda})
    seen = projects(tmp_path, tmp_path / "w", default="https://index.example.org/simple", machine=machine)
    answer = client(seen).get("/secret/files/app/app-1.0-py3-none-any.whl")
    assert answer.status_code == status
    if status == 424:
        told = "app-1.0-py3-none-any.whl asks for bar+cu126==1.0, and this machine sees bar-1.0-py3-none-any-cu128.whl"
        assert told in answer.status
        assert "'variant-publish install app'" in answer.text


def test_a_pin_on_a_project_of_an_index_that_vouches_for_nothing_does_not_hold(tmp_path: Path) -> None:
    make_wheel(tmp_path / "w", "app-1.0-py3-none-any.whl", extra_info={"abi-requires.txt": b"num+own==2.0\n"})
    seen = projects(tmp_path, tmp_path / "w", default="https://index.example.org/simple")
    answer = client(seen).get("/secret/files/app/app-1.0-py3-none-any.whl")
    assert answer.text.startswith("app-1.0-py3-none-any.whl asks for num+own==2.0, and this machine sees num of https:")


def test_the_pins_of_a_project_without_variants_are_not_looked_at(tmp_path: Path) -> None:
    pins = {"abi-requires.txt": b"num+own==2.0\n"}
    make_wheel(tmp_path / "i" / "app", "app-1.0-py3-none-any.whl", extra_info=pins)
    link = '<a href="app-1.0-py3-none-any.whl">app-1.0-py3-none-any.whl</a>'
    (tmp_path / "i" / "app" / "index.html").write_text(link, encoding="utf-8")
    with static(tmp_path / "i") as url:
        browser = client(projects(tmp_path, url, default="https://index.example.org/simple"))
        answer = browser.get("/secret/simple/app/")
        assert (answer.status_code, answer.headers["Location"]) == (
            302,
            f"{url}/app/",
        )  # the client reads the wheel there
        # Who asks the view for the wheel all the same is told, since its pins are read then.
        assert browser.get("/secret/files/app/app-1.0-py3-none-any.whl").status_code == 424


def test_every_file_of_a_page_has_hashes_though_there_may_be_none(tmp_path: Path) -> None:
    answer = client(projects(tmp_path, write_release(tmp_path / "w", ABI))).get(
        "/secret/simple/foo/", headers={"Accept": JSON}
    )
    assert all("hashes" in file for file in listed(answer).values())  # PEP 691; uv reads no page without
