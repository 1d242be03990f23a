"""A session of `requests` with a deadline over a whole answer, and redirects that neither leave https nor are read.

The timeout of `requests` is one of each read, so a server that sends a byte a second keeps it waiting for ever.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry

RETRIES = 2

_CURRENT = threading.local()


class Deadline:
    """Shut down the sockets that this thread uses, once so many seconds are over; a context manager."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._start(seconds)

    def __enter__(self) -> Self:
        _CURRENT.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.deadline = None
        self._timer.cancel()
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def restart(self, seconds: float) -> None:
        """Start again, since more is expected than was known."""
        self._timer.cancel()
        self._start(seconds)

    def watch(self, connection: socket.socket) -> None:
        """Have a socket shut down in time; a second descriptor of it stays valid where TLS takes the first over."""
        twin = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with self._lock:
            self._sockets.append(twin)
            if self.expired:
                connection.close()
                raise TimeoutError("it is too late for another connection")

    def _start(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        with self._lock:
            self.expired = True
            for one in self._sockets:
                _shut(one)


class GuardedSession(Session):
    """Try again where a server is busy, within seconds; refuse a redirect from https to http before it is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 10
        retry = Retry(
            RETRIES, backoff_factor=0.3, status_forcelist=(429, 502, 503, 504), raise_on_status=False,
            respect_retry_after_header=False,
        )  # fmt: skip
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=retry))

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
        connection = super()._new_conn()
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


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}


def _watch_now(connection: socket.socket) -> None:
    deadline: Deadline | None = getattr(_CURRENT, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
