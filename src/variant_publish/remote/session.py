"""A session of `requests` with a deadline over a whole answer, and redirects that neither leave https nor are read.

The timeout of `requests` is one of each read, so a server that sends a byte a second keeps it waiting for ever.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry

RETRIES = 2
CONNECTIONS = 16
"""To one server at a time; who needs another one waits."""

CONNECTING = 10.0
"""Seconds to find the address of a server and to reach it."""

_CURRENT = threading.local()
_connect = HTTPConnection._new_conn


class Unreached(ValueError):
    """Report a server that is not there in time; urllib3 does not try this again."""


class Deadline:
    """Shut down the sockets that this thread uses, once so many seconds are over; a context manager."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.restart(seconds)

    def __enter__(self) -> Self:
        _CURRENT.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.deadline = None
        _WATCH.forget(self)
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def restart(self, seconds: float) -> None:
        """Start again, since more is expected than was known."""
        self.end = time.monotonic() + seconds
        _WATCH.add(self)

    def watch(self, connection: socket.socket) -> None:
        """Have a socket shut down in time; a second descriptor of it stays valid where TLS takes the first over."""
        twin = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with self._lock:
            self._sockets.append(twin)
            if self.expired:
                connection.close()
                raise TimeoutError("it is too late for another connection")

    def expire(self) -> None:
        """Shut down the sockets."""
        with self._lock:
            self.expired = True
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class _Watch:
    """The thread that waits for the deadlines of all others: one for each request would cost more than the request."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.add(deadline)
            if self._thread is None or not self._thread.is_alive():  # a process that forked off has none
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            elif deadline.end < self._wakes:
                self._changed.notify()

    def forget(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.discard(deadline)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._wakes = min((one.end for one in self._deadlines), default=math.inf)
                self._changed.wait(None if self._wakes == math.inf else self._wakes - time.monotonic())
                over = [one for one in self._deadlines if one.end <= time.monotonic()]
                self._deadlines.difference_update(over)
            for one in over:
                one.expire()


_WATCH = _Watch()


class GuardedSession(Session):
    """Try again where a server is busy, within seconds; refuse a redirect from https to http before it is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 10
        self._settings: dict[tuple[str, str], Any] = {}
        retry = Retry(
            RETRIES, backoff_factor=0.3, status_forcelist=(429, 502, 503, 504), raise_on_status=False,
            respect_retry_after_header=False,
        )  # fmt: skip
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=retry, pool_maxsize=CONNECTIONS, pool_block=True))

    def merge_environment_settings(self, url: Any, *given: Any) -> Any:
        """Return proxies and certificates of the environment, looked up once for each server; `requests` calls this."""
        server = urlsplit(url)[:2]
        if server not in self._settings:
            self._settings[server] = super().merge_environment_settings(url, *given)
        return dict(self._settings[server])

    def get_redirect_target(self, resp: Response) -> str | None:
        """Return where an answer leads, whose content stays unread; `requests` calls this."""
        target = super().get_redirect_target(resp)
        if target is not None:
            resp.close()
            scheme = urlsplit(urljoin(resp.url, target)).scheme
            if resp.url.startswith("https:") and scheme != "https":
                raise InvalidSchema(f"it redirects from https to {scheme}")
        return target


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools; `requests` calls this."""
        super().init_poolmanager(*arguments, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the pools of a proxy; `requests` calls this."""
        manager = super().proxy_manager_for(*arguments, **options)
        _watch(manager)
        return manager


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connection = _in_time(partial(_connect, self))
        _watch_now(connection)
        return connection

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        if self.sock is not None:  # one that was opened for an earlier request
            _watch_now(self.sock)
        return super().getresponse()


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


def _in_time(connect: Callable[[], socket.socket]) -> socket.socket:
    """Return a connection, or leave it behind: a system that looks for the address of a name cannot be interrupted."""
    done: Future[socket.socket] = Future()

    def run() -> None:
        try:
            done.set_result(connect())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return done.result(CONNECTING)
    except TimeoutError:
        if done.done():
            raise
        done.add_done_callback(_close)
        raise Unreached(f"its server was not reached within {CONNECTING:g} seconds") from None


def _close(late: Future[socket.socket]) -> None:
    if late.exception() is None:
        late.result().close()


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}


def _watch_now(connection: socket.socket) -> None:
    deadline: Deadline | None = getattr(_CURRENT, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)
