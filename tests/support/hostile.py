"""A hostile HTTP server on loopback: each path misbehaves in its own way."""

from __future__ import annotations

import socket
import socketserver
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.http import running

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def misbehaving(behaviours: Mapping[str, Behaviour], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve paths by what each of them does, over TLS with a context; give the address without a slash at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            behaviour = behaviours.get(self.path)
            with suppress(OSError):
                if behaviour is None:
                    self.send_error(404)
                else:
                    behaviour(self)
            self.close_connection = True

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server) as address:
        yield address if context is None else address.replace("http:", "https:")


def says(content: bytes, kind: str = "application/vnd.pypi.simple.v1+json", status: int = 200) -> Behaviour:
    """Answer properly."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content)

    return answer


def without_end(kind: str = "text/html") -> Behaviour:
    """Send bytes for ever."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        while True:
            handler.wfile.write(b"<a href='x'>" * 10_000)

    return answer


def drips(kind: str = "text/html", *, headers: bool = False, chunked: bool = False) -> Behaviour:
    """Send a byte every fiftieth of a second: of the body, of the headers, or of the length of a chunk."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if headers:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            if chunked:
                handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            handler.wfile.write(b"0")
            handler.wfile.flush()
            time.sleep(0.02)

    return answer


def redirects(target: str, then: Behaviour | None = None) -> Behaviour:
    """Lead somewhere else, with what another behaviour says as the content of the answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        if then is None:
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            handler.send_response = lambda *_: None  # type: ignore[method-assign]
            then(handler)

    return answer


@contextmanager
def shaking_hands_for_ever() -> Iterator[str]:
    """Answer a TLS handshake with a byte of it every fiftieth of a second."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")  # a ServerHello of 16 kB
                while True:
                    self.request.sendall(b"\x03")
                    time.sleep(0.02)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with running(Server(("127.0.0.1", 0), Handler)) as address:
        yield address.replace("http:", "https:")
