"""The one place that asks servers: every answer has a limit of size and a deadline."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.model.url import redact

if TYPE_CHECKING:
    from requests import Response

    from variant_publish.remote.session import Deadline, GuardedSession

TIMEOUT = 30.0
"""Seconds without a byte."""
DEADLINE = 120.0
"""Seconds for a whole answer, whatever its size; those of large files come on top."""
SLOWEST = 20_000
"""Bytes a second; a download that takes longer is given up."""
LONGEST = 6 * 3600.0
PATIENCE = 120.0
"""Seconds that are lost to servers that fail, in all; then no other is asked until some quiet has passed."""
_QUIET = 60.0
_AT_ONCE = 1.0
"""A failure within this time costs nothing."""
_CHUNK = 1 << 16
_TOO_SLOW = "the answer comes too slowly"


class IndexUnavailable(VariantPublishError):
    """Report an index or a file that cannot be read: whether the project is there is not known."""

    def __init__(self, url: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{redact(url)} cannot be read ({redact(reason)})", hint=hint or "check the URL and try again")


class Answer(msgspec.Struct, frozen=True):
    """What a server said: `url` is where a redirect led to; `content` is empty where it was not wanted."""

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes


class Transport:
    """Send requests, from several threads too; connections are kept until nobody has it any more.

    `bytes_read` and `requests` count what was asked for with it.
    """

    def __init__(self) -> None:
        self.bytes_read = self.requests = 0
        self._lost = self._failed = 0.0
        self._lock = threading.Lock()

    def get(
        self, url: str, limit: int, *, headers: Mapping[str, str] | None = None, accept: Collection[int] = ()
    ) -> Answer:
        """Return an answer of at most `limit` bytes; raise IndexUnavailable for a longer, slower or failed one.

        A status of `accept` is no failure. Where `headers` ask for a range and the answer is another, its content is
        left unread.
        """
        with self.opened("GET", url, headers or {}, accept) as (response, deadline):
            content = bytearray()
            if "Range" not in (headers or {}) or response.status_code == 206:
                self._receive(response, deadline, limit, content.extend)
            return Answer(response.status_code, response.url, response.headers, bytes(content))

    def size(self, url: str) -> int | None:
        """Return the size of a file that its server tells; None where it tells none."""
        try:
            with self.opened("HEAD", url, {"Accept-Encoding": "identity"}) as (response, _):
                return _length(response)
        except IndexUnavailable:
            return None

    def save(self, url: str, limit: int, write: Callable[[bytes], object]) -> None:
        """Pass on the content in pieces; more than `limit` bytes are an IndexUnavailable, after at most as many."""
        with self.opened("GET", url, {"Accept-Encoding": "identity"}) as (response, deadline):
            expected = min(limit, length) if (length := _length(response)) is not None else limit
            deadline.restart(min(DEADLINE + expected / SLOWEST, LONGEST))
            self._receive(response, deadline, limit, write)

    @contextmanager
    def opened(
        self, method: str, url: str, headers: Mapping[str, str], accept: Collection[int] = ()
    ) -> Iterator[tuple[Response, Deadline]]:
        """Send a request, and give the answer with its headers read; raise IndexUnavailable as `get` does."""
        from urllib3.exceptions import HTTPError

        from variant_publish.remote.session import Deadline

        start = time.monotonic()
        if self._lost > PATIENCE and start < self._failed + _QUIET:
            raise IndexUnavailable(url, f"servers took {self._lost:.0f} seconds and gave nothing, so no more are asked")
        with Deadline(DEADLINE) as deadline:
            try:
                with self._session.request(
                    method, url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=True
                ) as response:
                    self._count(0, 1)
                    if response.status_code not in accept:
                        response.raise_for_status()
                    yield response, deadline
            except (OSError, ValueError, HTTPError) as error:  # those of requests are OSErrors
                self._lose(start)
                reason = _TOO_SLOW if deadline.expired else _reason(error)
                raise IndexUnavailable(url, reason) from error

    def _receive(self, response: Response, deadline: Deadline, limit: int, write: Callable[[bytes], object]) -> None:
        received = 0
        for chunk in response.iter_content(_CHUNK):
            received += len(chunk)
            if received > limit:
                raise IndexUnavailable(
                    response.url, f"it has more than {limit} bytes", hint="this is not the file it is named as"
                )
            write(chunk)
        self._count(received, 0)
        if deadline.expired:  # the end of a body without a length looks like any other
            raise IndexUnavailable(response.url, _TOO_SLOW)

    @cached_property
    def _session(self) -> GuardedSession:
        from variant_publish.remote.session import GuardedSession

        return GuardedSession()

    def _lose(self, start: float) -> None:
        with self._lock:
            now = time.monotonic()
            if now - start > _AT_ONCE:
                self._lost = (self._lost if now < self._failed + DEADLINE + _QUIET else 0.0) + now - start
                self._failed = now

    def _count(self, size: int, requests: int) -> None:
        with self._lock:
            self.bytes_read += size
            self.requests += requests


def _length(response: Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _reason(error: Exception) -> str:
    error = getattr(next(iter(error.args), None), "reason", error)  # of the last attempt, in place of their number
    text = re.sub(r"^\w+\(host=.*?\): ", "", str(error))  # urllib3 begins with its own connection
    return text.splitlines()[0] if text else type(error).__name__
