"""The view for a team: the machine is in the path, and every machine gets its own variant."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from werkzeug.serving import make_server as make_threaded_server
from werkzeug.test import Client

from support.environments import isolate, make_environment, site
from support.http import running
from support.pips import new_pip
from support.uv import uv
from support.variants import VARIANTS, write_release
from variant_publish.errors import UsageError
from variant_publish.serve.team import TeamApplication, application, machine_of_words
from variant_publish.serve.view_page import HTML, JSON

V3 = "x86_64 :: level :: v3"
LEVELS = {"v3": [V3], "cu128.v3": [V3, *VARIANTS["cu128"]]}
WHEEL = "foo-1.0-py3-none-any"
MACHINES = {
    "cuda12.6": "-cu126", "cuda12.8": "-cu128", "cuda12.8,x86_64_v3": "-cu128.v3", "x86_64_v3": "-v3",
    "cuda11.8": "", "generic": "",
}  # fmt: skip


@pytest.fixture
def team(tmp_path: Path) -> TeamApplication:
    folder = write_release(tmp_path / "w", {**VARIANTS, **LEVELS})
    return TeamApplication([str(folder)], None, {"XDG_CACHE_HOME": str(tmp_path / "cache")})


@pytest.fixture
def browser(team: TeamApplication) -> Client:
    return Client(team)


@pytest.mark.parametrize(("machine", "label"), MACHINES.items())
def test_the_machine_in_the_path_gets_its_variant(tmp_path: Path, browser: Client, machine: str, label: str) -> None:
    page = browser.get(f"/m/{machine}/simple/foo/", headers={"Accept": JSON}).json
    assert page is not None
    assert [file["filename"] for file in page["files"]] == [f"{WHEEL}.whl"]
    answer = browser.get(f"/m/{machine}/files/foo/{WHEEL}.whl", buffered=True)
    assert answer.data == (tmp_path / "w" / f"{WHEEL}{label}.whl").read_bytes()


def test_html_and_json_are_negotiated_and_head_has_no_body(browser: Client) -> None:
    url = "/m/cuda12.8/simple/foo/"
    html, json = (browser.get(url, headers={"Accept": kind}) for kind in (HTML, JSON))
    assert (html.mimetype, json.mimetype) == (HTML, JSON)
    assert f'href="../../files/foo/{WHEEL}.whl' in html.text
    for path, answer in ((url, html), (f"/m/cuda12.8/files/foo/{WHEEL}.whl", None)):
        whole = answer or browser.get(path, buffered=True)
        head = browser.head(path, headers={"Accept": HTML}, buffered=True)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.data))
        assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/m/nonsense/simple/foo/", "'nonsense' describes no machine"),
        ("/m/cuda12.8,nonsense/simple/foo/", "'nonsense' describes no machine"),
        ("/m/cuda12.8,/simple/foo/", "'' describes no machine"),
        ("/m/cuda12.6,cuda12.8/simple/foo/", "'cuda12.6,cuda12.8' has two values of one variable"),
        ("/m/cuda12.8%20/simple/foo/", "try /m/MACHINE/simple/PROJECT/"),
        (f"/m/{'a' * 201}/simple/foo/", "try /m/MACHINE/simple/PROJECT/"),
        ("/m/../simple/foo/", "describes no machine"),
        ("/simple/foo/", "try /m/MACHINE/simple/PROJECT/"),
        ("/", "try /m/MACHINE/simple/PROJECT/"),
        ("/m/generic/simple/bar/", "no index has bar"),
        ("/m/generic/files/foo/..%2f..%2fetc%2fpasswd", ""),
    ],
)
def test_what_is_not_there_is_one_sentence(browser: Client, path: str, said: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/plain"
    assert said in answer.text
    assert "\n" not in answer.text.strip()


def test_only_reading_is_allowed(browser: Client) -> None:
    assert browser.post("/m/generic/simple/foo/").status_code == 405


def test_any_host_is_answered_and_no_link_names_one(browser: Client) -> None:
    for host in ("http://views.example.org", "http://10.0.0.1:8080"):
        answer = browser.get("/m/cuda12.8/simple/foo/", base_url=host)
        assert answer.status_code == 200
        assert host not in answer.text
    moved = browser.get("/m/cuda12.8/simple/Foo", base_url="http://views.example.org/below")
    assert moved.headers["Location"] == "/below/m/cuda12.8/simple/foo/"


def test_a_machine_that_is_dropped_is_answered_again(team: TeamApplication) -> None:
    browser = Client(team)
    for number in range(70):
        assert browser.get(f"/m/cuda12.{number}/simple/foo/").status_code == 200
    assert len(team._applications) == 64
    assert browser.get("/m/cuda12.0/simple/foo/").status_code == 200


def test_what_the_words_leave_out_the_machine_does_not_have() -> None:
    bare = machine_of_words("generic").values
    assert (bare["cuda"], bare["x86_64_version"]) == ("none", "x86-64")
    amd = machine_of_words("gfx942,rocm6.4").values
    assert (amd["gfx_arch"], amd["rocm"], amd["cuda"]) == ("gfx942", "6.4", "none")


def test_the_environment_names_the_indexes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    monkeypatch.delenv("VARIANT_PUBLISH_INDEX", raising=False)
    with pytest.raises(UsageError, match="VARIANT_PUBLISH_INDEX names no index"):
        application()
    one, two = write_release(tmp_path / "one"), write_release(tmp_path / "two", name="bar")
    monkeypatch.setenv("VARIANT_PUBLISH_INDEX", f"{one} {two}")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example.org/simple")
    browser = Client(application())
    for project in ("foo", "bar"):
        assert f"{project}-1.0-py3-none-any.whl" in browser.get(f"/m/cuda12.8/simple/{project}/").text
    elsewhere = browser.get("/m/cuda12.8/simple/other/")
    assert elsewhere.headers["Location"] == "https://mirror.example.org/simple/other/"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def _served(team: TeamApplication, kind: str) -> Iterator[str]:
    with running(
        make_server("127.0.0.1", 0, team, handler_class=_Quiet)
        if kind == "wsgiref"
        else make_threaded_server("127.0.0.1", 0, team, threaded=True)
    ) as address:
        yield address


@pytest.mark.parametrize("kind", ["wsgiref", "werkzeug"])
def test_a_real_server_runs_it(team: TeamApplication, tmp_path: Path, kind: str) -> None:
    with _served(team, kind) as address:
        for machine, label in MACHINES.items():
            with urlopen(f"{address}/m/{machine}/files/foo/{WHEEL}.whl") as answer:
                assert answer.read() == (tmp_path / "w" / f"{WHEEL}{label}.whl").read_bytes()
        with urlopen(Request(f"{address}/m/generic/simple/foo/", method="HEAD")) as answer:
            assert (answer.status, answer.read()) == (200, b"")
        with pytest.raises(HTTPError, match="404") as caught:
            urlopen(f"{address}/m/nonsense/simple/foo/")
        assert b"'nonsense' describes no machine" in caught.value.read()


@pytest.mark.slow
@pytest.mark.parametrize("client", ["pip", "uv"])
def test_a_plain_client_installs_from_it(
    team: TeamApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    isolate(monkeypatch, tmp_path)
    with _served(team, "werkzeug") as address:
        for machine in ("cuda12.8", "cuda12.6", "generic"):
            environment = make_environment(tmp_path / machine)
            url = f"{address}/m/{machine}/simple/"
            if client == "uv":
                done = uv("pip", "install", "--python", environment, "--default-index", url, "foo")
            else:
                command = [*new_pip(), "--python", str(environment), "install", "--index-url", url, "foo"]
                done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
            assert done.returncode == 0, done.stderr
            label = {"cuda12.8": "cu128", "cuda12.6": "cu126"}.get(machine, "generic")
            assert label in (site(environment) / "foo.py").read_text(encoding="utf-8")
