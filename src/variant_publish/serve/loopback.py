"""Serve a view on loopback, behind a path that only this user knows and that stays the same from run to run."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.serve.application import ViewApplication
from variant_publish.serve.projects import Projects

LOOPBACK = "127.0.0.1"
_TOKEN = "serve.token"  # noqa: S105  (the name of a file)
_PORTS = range(49152, 65536)


class _Server(ThreadingMixIn, WSGIServer):
    """Answer each connection in a thread of its own; the threads end with the process."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # there it would let two servers have one port
    allow_reuse_port = False  # this would so everywhere

    def __init__(self, port: int, application: ViewApplication) -> None:
        self.view = application
        self.connections: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), _Connection)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # that of HTTPServer asks name servers what this machine is called
        self.server_name, self.server_port = self.socket.getsockname()
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in [*self.connections]:
            with suppress(OSError):  # its client may have closed it in the meantime
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """Keep quiet: a client that hangs up is no error."""


class _Connection(WSGIRequestHandler):
    """Answer one request after the other: installers keep their connections."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def handle(self) -> None:
        BaseHTTPRequestHandler.handle(self)

    def answer(self) -> None:
        assert isinstance(self.server, _Server)  # noqa: S101
        answer = _Answer(self.rfile, self.wfile, self.get_stderr(), self.get_environ(), multithread=True)  # type: ignore[arg-type]
        answer.http_version = "1.1"
        answer.run(self.server.view)
        has_body = not {"content-length", "transfer-encoding"}.isdisjoint(map(str.lower, self.headers))
        if has_body or not answer.has_length:  # nothing else would tell where the next message begins
            self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # the application says which methods are allowed
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the path of a request is a secret."""


class _Answer(SimpleHandler):
    has_length = False

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.has_length = any(name.lower() == "content-length" for name, _ in headers)
        return super().start_response(status, headers, exc_info)

    def log_exception(self, *_: object) -> None:
        """Keep quiet: the status says that something failed."""


class ServedView(msgspec.Struct, frozen=True):
    """A view that is being served: `url` is what installers take as their index; `problems` grow as it is asked."""

    url: str
    projects: Projects
    problems: list[VariantPublishError]


@contextmanager
def serving(projects: Projects, port: int | None = None) -> Iterator[ServedView]:
    """Serve on loopback until the block ends; `port` must be free, the preferred port need not be."""
    token = _token(projects.cache.root)
    problems: list[VariantPublishError] = []
    application = ViewApplication(projects, f"/{_secret_path(token, projects)}", None, problems.append)
    server = _bound(application, port, preferred=_PORTS[int(token[:8], 16) % len(_PORTS)])
    application.host = f"{LOOPBACK}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield ServedView(f"http://{application.host}{application.prefix}/simple/", projects, problems)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(application: ViewApplication, port: int | None, preferred: int) -> _Server:
    """Return a server on the port, or on the preferred one if it is free; raise UsageError."""
    for number in (port,) if port is not None else (preferred, 0):
        try:
            return _Server(number, application)
        except OSError as error:
            if number == preferred and port is None:
                continue
            why = error.strerror or str(error)
            hint = "choose another one, or leave out --port"
            raise UsageError(f"port {number} of {LOOPBACK} cannot be used ({why})", hint=hint) from error
    raise AssertionError("unreachable")


def _token(root: Path) -> str:
    """Return the secret of this user, made at the first use."""
    path = root / _TOKEN
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if len(text) != 64:
        text = secrets.token_hex(32)
        root.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            Path(stream.name).chmod(0o600)
            stream.write(text.encode())
    return text


def _secret_path(token: str, projects: Projects) -> str:
    """Return a path for what is seen: another machine or wish has another one, so that clients' caches never mix."""
    seen = projects.identity()
    return hmac.new(token.encode(), seen.encode(), hashlib.sha256).hexdigest()[:32]
