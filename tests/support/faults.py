"""A proxy between a client and a store that does what networks and stores do: refuse, reset, lie, fall silent, kill."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

_SILENCE_S = 20.0
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "expect"}


class Fault(StrEnum):
    """Name what can happen to one request."""

    REFUSED = "connection refused"
    RESET = "reset half-way"
    TIMEOUT = "no answer"
    ERROR = "500"
    SLOW_DOWN = "503 SlowDown"
    DENIED = "403"
    RACE = "409 ConditionalRequestConflict"
    LOST = "412"
    TRUNCATED = "truncated answer"
    UNANSWERED = "answer lost after the work was done"
    KILL_BEFORE = "the client is killed before the store gets the request"
    KILL_AFTER = "the client is killed before it gets the answer"


KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)
FAULTS = tuple(fault for fault in Fault if fault not in KILLS)

_ANSWERS = {
    Fault.ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.DENIED: (403, "AccessDenied"),
    Fault.RACE: (409, "ConditionalRequestConflict"),
    Fault.LOST: (412, "PreconditionFailed"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that reached the store, and the store's answer."""

    method: str
    path: str
    status: int

    @property
    def stored(self) -> bool:
        """Return whether the store keeps the body of this request from now on."""
        return self.method == "PUT" and self.status < 300


class FaultProxy:
    """Forward requests to `address` and give each the fault that `plan` has for its number (0, 1, ...)."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.plan: Callable[[int], Fault | None] = lambda number: None
        self.seen: list[Seen] = []
        self.victims: Queue[int] = Queue()
        self.count = 0
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.listener: socket.socket | None = None
        self.own_port = 0
        self.open()

    @property
    def address(self) -> str:
        """Return the address that clients use in place of the store's."""
        return f"http://127.0.0.1:{self.own_port}"

    def start(self, plan: Callable[[int], Fault | None]) -> None:
        """Begin to count anew, with this plan."""
        self.plan, self.count, self.seen = plan, 0, []
        self.victims = Queue()
        if plan(0) is Fault.REFUSED:
            self.close()
        elif self.listener is None:
            self.open()

    def open(self) -> None:
        """Listen, again at the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.own_port))
        listener.listen(64)
        self.listener, self.own_port = listener, listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections."""
        listener, self.listener = self.listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, client = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, client), daemon=True).start()

    def _serve(self, connection: socket.socket, client: Any) -> None:
        with connection, suppress(OSError):
            _Handler(connection, client, self)  # type: ignore[arg-type]  # the handler only hands it back to us


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: else each answer waits 40 ms for the acknowledgement of its head.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    server: FaultProxy  # type: ignore[assignment]

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):
            super().handle_one_request()

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def do_GET(self) -> None:
        proxy = self.server
        with proxy.lock:
            number, proxy.count = proxy.count, proxy.count + 1
        fault = proxy.plan(number)
        if proxy.plan(number + 1) is Fault.REFUSED:
            proxy.close()
            self.close_connection = True
        length = int(self.headers.get("Content-Length") or 0)
        if fault is Fault.RESET:
            self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if fault is Fault.TIMEOUT:
            proxy.over.wait(_SILENCE_S)
            self._reset()
        elif fault is Fault.KILL_BEFORE:
            self._kill()
        elif fault in _ANSWERS:
            self._refuse(*_ANSWERS[fault])
        else:
            self._forward(body, fault)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names that the base class calls

    def _forward(self, body: bytes, fault: Fault | None) -> None:
        proxy = self.server
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        with closing(HTTPConnection(proxy.host, proxy.port, timeout=60)) as upstream:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        with proxy.lock:
            proxy.seen.append(Seen(self.command, self.path, answer.status))
        if fault is Fault.UNANSWERED:
            self._reset()
            return
        if fault is Fault.KILL_AFTER:
            self._kill()
            return
        if fault is Fault.TRUNCATED and not content:
            self.wfile.write(b"HTTP/1.1 2")
            self.close_connection = True
            return
        self.send_response(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        # The answer to HEAD tells the length of what it does not send.
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if fault is Fault.TRUNCATED:
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>planned</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _kill(self) -> None:
        os.kill(self.server.victims.get(timeout=_SILENCE_S), signal.SIGKILL)  # it may ask before its number is known
        self._reset()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@contextmanager
def fault_proxy(address: str) -> Iterator[FaultProxy]:
    """Run a proxy in front of `address`; it forwards everything until a plan is started."""
    proxy = FaultProxy(address)
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.close()
