"""Servers that tests of several rooms use; each is imported and started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.moto import Moto


@pytest.fixture(scope="session")
def moto_of_the_run() -> Iterator[Moto]:
    from support.moto import moto_server

    with moto_server() as server:
        yield server


@pytest.fixture
def moto(moto_of_the_run: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """Return an S3 server with one empty bucket, and credentials for it."""
    from support.moto import give_credentials

    give_credentials(monkeypatch)
    moto_of_the_run.reset()
    return moto_of_the_run
