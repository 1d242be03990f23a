"""An object store that ignores conditions, all of them or only `If-Match`: it exists to be refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.http import running


@contextmanager
def careless_s3(*, honours_create: bool) -> Iterator[str]:
    """Run the store on a free loopback port and give its address."""
    objects: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if honours_create and self.headers.get("If-None-Match") == "*" and self.path in objects:
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            objects[self.path] = content
            self._answer(200, b"", hashlib.md5(content, usedforsecurity=False).hexdigest())

        def _answer(self, status: int, body: bytes, etag: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if etag:
                self.send_header("ETag", f'"{etag}"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address
