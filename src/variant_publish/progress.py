"""Progress of the library: a protocol, and the silent default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], object]
"""Called with the number of bytes that have been done since the last call."""


class Reporter(Protocol):
    """Receive what the library has to say while it works; results are returned, never reported."""

    def note(self, message: str) -> None:
        """Take one line of information."""

    def warn(self, message: str) -> None:
        """Take one line that a user should act on, though the work goes on."""

    def track(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """Open a progress bar of `total` bytes (None: unknown) and give the function that moves it."""
        ...


class SilentReporter:
    """Drop everything: the default of the library."""

    def note(self, message: str) -> None:
        """Drop `message`."""

    def warn(self, message: str) -> None:
        """Drop `message`."""

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        """Return a function that does nothing."""
        yield lambda count: None


SILENT: Reporter = SilentReporter()
