"""What an upload and a look at the index cost in a project of many files, and that they do not read other projects."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.moto import BUCKET, Moto
from support.publishing import CONFIG, GENERIC, PLUS, make_release, run
from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import update_project
from variant_publish.index.masters import read_index, read_root
from variant_publish.index.verify import verify
from variant_publish.index.yank import plan_removal
from variant_publish.publish.destinations import Destinations
from variant_publish.publish.upload_plan import plan_release
from variant_publish.publish.uploader import publish
from variant_publish.release.release import load
from variant_publish.store.folder import LocalStore
from variant_publish.store.s3 import S3Store

FILES = 3_000


def entries(count: int) -> list[IndexFile]:
    """Return many entries with names and hashes as a release of variants has them."""
    result = []
    for number in range(count):
        version, file = divmod(number, 100)
        platform = "x86_64" if file // 10 % 2 else "aarch64"
        name = f"foo_bar-2.{version}-cp3{file % 10}-cp3{file % 10}-manylinux_2_28_{platform}+cu{file // 10}.whl"
        digests = [hashlib.sha256(f"{kind} {name}".encode()).hexdigest() for kind in ("wheel", "metadata")]
        url = name.replace("+", "%2B")
        result.append(IndexFile(name, url, digests[0], 10, ">=3.9", digests[1], "2026-01-01T00:00:00Z"))
    return result


class Traffic:
    """The requests of a store, and the bytes of their bodies."""

    def __init__(self, store: S3Store) -> None:
        self.requests: list[str] = []
        self.up = self.down = 0
        store.client.meta.events.register("before-send.s3", self.sent)
        store.client.meta.events.register("before-parse.s3", self.received)

    def sent(self, request: Any, **_: Any) -> None:
        self.requests.append(f"{request.method} {request.url.partition('/simple/')[2]}")
        self.up += int(request.headers.get("Content-Length") or 0)

    def received(self, response_dict: dict[str, Any], **_: Any) -> None:
        if self.requests[-1].startswith("GET") and response_dict["status_code"] == 200:
            self.down += int(response_dict["headers"]["Content-Length"])


@pytest.mark.slow
def test_a_listed_file_costs_less_than_a_third_of_a_kilobyte(moto: Moto, tmp_path: Path) -> None:
    def opened() -> S3Store:
        return S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)

    with closing(opened()) as store:
        update_project(store, "foo-bar", entries(FILES))
    release = make_release(tmp_path / "dist", PLUS, GENERIC)
    with closing(opened()) as store:
        first = Traffic(store)
        run(release, store)
    assert len(first.requests) <= 16, first.requests
    assert first.up / FILES < 310  # and 0.30 kB with 10,000
    assert first.down / FILES < 10
    with closing(opened()) as store:
        again = Traffic(store)
        run(release, store)
    assert len(again.requests) <= 12
    assert (again.up, again.down < 5_000) == (0, True)  # a selector file, the list of projects, that of the wheels


@pytest.mark.slow
@pytest.mark.parametrize("is_new", [False, True], ids=["a project of old releases", "a new project"])
def test_the_newest_release_costs_eighteen_requests(moto: Moto, tmp_path: Path, is_new: bool) -> None:
    names = [name.replace("1.0", "9.0") for name in (PLUS, GENERIC)]
    others = ("baz", [IndexFile("baz-1.tar.gz", "https://h/a", "ab" * 32)])
    for project, files in [others] if is_new else [others, ("foo-bar", entries(300))]:
        with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
            update_project(store, project, files)
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        seen = Traffic(store)
        run(make_release(tmp_path / "dist", *names), store)
        assert len(seen.requests) <= 18, seen.requests
        assert verify(store, deep=False, projects=["baz"]).is_sound
        root = read_root(store)
    assert root is not None
    assert root.newest["foo-bar"].version == "9.0"


def test_a_master_that_was_changed_since_the_plan_is_read_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "index")
    first, second = (load([made(tmp_path, number)], Config.parse(CONFIG)).only() for number in (1, 2))
    destinations = Destinations(first.config.upload, store)
    plan = plan_release(first, destinations)
    run(second, store)
    publish(plan, destinations)
    assert publish(plan, destinations).pages == ()
    index = read_index(store, "foo-bar")
    assert index is not None
    assert index.versions == ("1.1", "1.2")
    assert verify(store, deep=True).is_sound


def made(folder: Path, number: int) -> Path:
    make_wheel(folder / str(number), PLUS.replace("1.0", f"1.{number}"))
    return folder / str(number)


@pytest.mark.slow
def test_verifying_takes_a_tenth_of_a_millisecond_for_a_file(tmp_path: Path) -> None:
    store, files = LocalStore(tmp_path), entries(FILES)
    update_project(store, "foo-bar", files)
    for file in files:
        (tmp_path / "foo-bar" / file.filename).write_bytes(bytes(10))
        (tmp_path / "foo-bar" / f"{file.filename}.metadata").touch()
    begin = time.process_time()
    assert verify(store).is_sound
    assert time.process_time() - begin < 3 * 0.0001 * FILES  # a third of the machine is somebody else's


def test_pins_are_looked_up_without_reading_every_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "index")
    for number in range(20):
        update_project(store, f"other-{number}", [IndexFile(f"other_{number}-1.tar.gz", "https://h/a", "ab" * 32)])
    for name, requires in (("foo_bar-1.0", ()), ("baz-3", ("foo-bar == 1.0", "other-1 > 0"))):
        folder = tmp_path / name
        make_wheel(folder, f"{name}-py3-none-any.whl", requires=requires)
        run(load([folder], Config.parse(CONFIG)).only(), store)
    read: list[str] = []
    whole = LocalStore.read_again

    def counted(self: LocalStore, key: str) -> object:
        read.append(key)
        return whole(self, key)

    monkeypatch.setattr(LocalStore, "read_again", counted)
    (pin,) = plan_removal(store, "foo-bar", ["1.0"]).pins
    assert pin == "baz 3 (foo-bar == 1.0)"
    assert read == ["foo-bar/index.json", ".variant-publish/pins/foo-bar.json", "baz/index.json"]
    (tmp_path / "index/.variant-publish/pins/foo-bar.json").unlink()
    assert not verify(store).is_sound
    assert verify(store, repair=True).is_sound
    assert plan_removal(store, "foo-bar", ["1.0"]).pins == (pin,)
