"""Serve a view on loopback, behind a path that only this user knows and that stays the same from run to run."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from variant_publish.archive.atomic import replacing
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.serve.application import ViewApplication
from variant_publish.serve.projects import Projects

LOOPBACK = "127.0.0.1"
_TOKEN = "serve.token"  # noqa: S105  (the name of a file)
_PORTS = range(49152, 65536)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Keep quiet: the path of a request is a secret."""


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
    application.host = f"{LOOPBACK}:{server.port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ServedView(f"http://{application.host}{application.prefix}/simple/", projects, problems)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(application: ViewApplication, port: int | None, preferred: int) -> BaseWSGIServer:
    """Return a server on the port, or on the preferred one if it is free; raise UsageError."""
    for number in (port,) if port is not None else (preferred, 0):
        with socket.socket() as listener:
            if os.name != "nt":  # there it would let two servers have one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((LOOPBACK, number))
            except OSError as error:
                if number == preferred and port is None:
                    continue
                why = error.strerror or str(error)
                hint = "choose another one, or leave out --port"
                raise UsageError(f"port {number} of {LOOPBACK} cannot be used ({why})", hint=hint) from error
            listener.listen(128)
            return make_server(LOOPBACK, 0, application, threaded=True, request_handler=_Quiet, fd=listener.fileno())
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
