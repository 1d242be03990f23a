"""A repository that fails in the middle of a release leaves a state that the next run finishes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.faults import FAULTS, Fault, FaultProxy, fault_proxy
from support.publishing import GENERIC, PLUS, make_release, run
from support.pypi import pypiserver
from variant_publish.errors import VariantPublishError
from variant_publish.index.verify import verify
from variant_publish.release.release import Release
from variant_publish.remote.listing import read_project
from variant_publish.store.folder import LocalStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="connections are refused as Linux does it"),
]

OTHER = GENERIC.replace("py3", "cp312")
KINDS = [fault for fault in FAULTS if fault is not Fault.TIMEOUT]
"""Twine waits for an answer as long as the connection stands, which is twine's business."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("packages")
    with pypiserver(folder) as address:
        yield address.rstrip("/"), folder


@pytest.fixture
def proxy(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultProxy]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", "anything")
    monkeypatch.setattr("variant_publish.remote.session.RETRIES", 0)
    with fault_proxy(server[0]) as proxy:
        yield proxy


def attempt(release: Release) -> bool:
    """Publish under a fault, ask once; False where it ended with an error of ours, or some file is not shown yet."""
    try:
        return run(release, deadline_s=0)[1].is_complete
    except VariantPublishError as error:
        if not error.hint:
            raise
        return False


@pytest.mark.parametrize("fault", KINDS)
def test_a_fault_at_any_request_to_the_repository_is_finished_by_the_next_run(
    server: tuple[str, Path], proxy: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    number, failed = 0, 0
    while True:
        for path in server[1].iterdir():
            path.unlink()
        root = tmp_path / str(number)
        upload = f'extra-index = "{(root / "extra").as_uri()}"\nrepository-url = "{proxy.address}/"\n'
        release = make_release(root / "dist", GENERIC, OTHER, PLUS, upload=upload)
        proxy.start(lambda found, last=number: fault if found == last else None)  # type: ignore[misc]
        failed += not attempt(release)
        if proxy.count < number:
            break
        assert verify(LocalStore(root / "extra")).is_sound
        sent = [path.name for path in server[1].iterdir()]
        proxy.start(lambda found: None)
        assert run(release)[1].is_complete
        posts = [item for item in proxy.seen if item.method == "POST"]
        assert len(posts) == 2 - len(sent)
        files = {file.filename: file for file in read_project((root / "extra").as_uri(), "foo-bar")}
        for name in (GENERIC, OTHER):
            assert (server[1] / name).read_bytes() == (root / "dist" / name).read_bytes()
            assert files[name].sha256 == hashlib.sha256((root / "dist" / name).read_bytes()).hexdigest()
        number += 1
    assert number > 3
    assert failed or fault in (Fault.ERROR, Fault.SLOW_DOWN)  # twine tries these again
