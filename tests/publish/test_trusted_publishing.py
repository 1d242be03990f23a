"""Without any password, on CI: twine exchanges the identity of the job for a short-lived token, from our command."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from requests.adapters import HTTPAdapter

from support.publishing import GENERIC
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload
from variant_publish.publish.pypi import TwineRepository
from variant_publish.store.objects import CreateOutcome

TOKEN = "minted-token-of-the-tests"  # noqa: S105 - made up, so that the test can look for it
IDENTITY = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, {"aud": "tests"}, {})
)
"""A JSON web token that tells for whom it is, and nothing else."""


@contextmanager
def index(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Run an index with trusted publishing, and CI's giver of identities; collect what uploads are signed with."""
    signed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({"audience": "tests", "value": IDENTITY})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/_/oidc/mint-token":
                assert json.loads(body) == {"token": IDENTITY}
                self.answer({"success": True, "token": TOKEN})
                return
            signed.append(base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode())
            self.answer({"message": f"{TOKEN} is not good enough"}, status)

        def answer(self, data: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", signed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PlainText(HTTPAdapter):
    """Twine exchanges tokens over TLS only, and the server of the test has none."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://")
        return super().send(request, *args, **kwargs)


def on_ci(address: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> TwineRepository:
    """Make the environment that of a job with an identity, and the index the one that twine knows."""
    for name in ("TWINE_USERNAME", "TWINE_PASSWORD", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("HOME", str(home)),
        ("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring"),
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "asking"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", f"{address}/identity?of=job"),
    ):
        monkeypatch.setenv(name, value)

    def session() -> requests.Session:
        made = requests.Session()
        made.mount("https://", PlainText())
        return made

    monkeypatch.setattr("twine.utils.DEFAULT_REPOSITORY", f"{address}/legacy/")
    monkeypatch.setattr("twine.utils.make_requests_session", session)
    return TwineRepository(msgspec.structs.replace(UploadTable(), repository_url=f"{address}/legacy/"))


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # twine leaves the session of the exchange open
def test_the_identity_of_the_job_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    wheel = WholeWheel.read(make_wheel(tmp_path, GENERIC))
    upload = Upload("foo-bar", wheel.path, IndexFile(wheel.filename, wheel.filename, wheel.sha256, wheel.size))
    with index(status) as (address, signed), closing(on_ci(address, monkeypatch, tmp_path)) as repository:
        repository.preflight([wheel.path])
        if status == 200:
            assert repository.upload(upload) is CreateOutcome.CREATED
        else:
            with pytest.raises(VariantPublishError, match=r"\*\*\* is not good enough"):
                repository.upload(upload)
    assert signed == [f"__token__:{TOKEN}"]
