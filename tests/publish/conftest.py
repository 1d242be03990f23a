from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.moto import Moto, give_credentials, moto_server


@pytest.fixture(scope="session")
def moto_of_the_run() -> Iterator[Moto]:
    with moto_server() as server:
        yield server


@pytest.fixture
def moto(moto_of_the_run: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """Give an S3 server with one empty bucket, and credentials for it."""
    give_credentials(monkeypatch)
    moto_of_the_run.reset()
    return moto_of_the_run
