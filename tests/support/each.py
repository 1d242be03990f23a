"""One test for many values: a thousand tests of a millisecond cost seconds in pytest itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

V = TypeVar("V")


def for_each(values: Iterable[V]) -> Callable[[Callable[[V], None]], Callable[[], None]]:
    """Return a decorator that runs a test for each value, and reports every value that it fails for."""

    def one_test(test: Callable[[V], None]) -> Callable[[], None]:
        def run() -> None:
            failed = {}
            for value in values:
                try:
                    test(value)
                except AssertionError as error:
                    failed[str(value)] = str(error)
            if failed:
                pytest.fail("\n".join(f"{value}: {error}" for value, error in failed.items()))

        return run

    return one_test
