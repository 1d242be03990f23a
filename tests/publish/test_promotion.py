"""From a test index to the one that users know: copied on the store, verified, listed, and nothing built again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.cli import Result
from support.cli import run as run_command
from support.moto import BUCKET, Moto
from support.publishing import CONFIG, GENERIC, PLUS, SDIST
from support.pypi import PASSWORD, USER, devpi, pypiserver
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.index.masters import read_index
from variant_publish.index.verify import verify
from variant_publish.index.yank import yank
from variant_publish.publish.pypi import TwineRepository
from variant_publish.publish.verified_files import FalseClaim
from variant_publish.store.folder import LocalStore
from variant_publish.store.multipart import PartsUpload
from variant_publish.store.objects import Conflict
from variant_publish.store.places import open_store
from variant_publish.store.s3 import S3Store
from variant_publish.store.store import Store


class Indexes:
    """Two indexes of one kind of store, and folders as repositories."""

    def __init__(self, folder: Path, root: str, endpoint_url: str | None = None) -> None:
        self.folder = folder
        self.config = Config.parse(CONFIG)
        # A bucket never links files of this machine, so there is no repository beside its test index.
        self.links = endpoint_url is None
        repository = f"file:{folder / 'testpypi'}" if self.links else None
        self.test = UploadTable(extra_index=f"{root}test", endpoint_url=endpoint_url, repository_url=repository)
        self.final = UploadTable(
            extra_index=f"{root}simple", endpoint_url=endpoint_url, repository_url=f"file:{folder / 'pypi'}"
        )

    def publish(self, *names: str, project: str = "foo_bar") -> None:
        """Publish a release to the test index."""
        for name in names:
            make_wheel(self.folder / project, name.replace("foo_bar", project))
        (self.folder / project / SDIST.replace("foo_bar", project)).write_bytes(b"a source distribution")
        for plan in api.plan_upload([self.folder / project], self.config, self.test):
            api.upload(plan)

    @contextmanager
    def store(self, settings: UploadTable) -> Iterator[Store]:
        store = open_store(settings.extra_index, endpoint_url=settings.endpoint_url)
        yield store
        store.close()

    def listed(self, settings: UploadTable, project: str = "foo-bar") -> dict[str, bool]:
        """Return the files that an index lists, and whether it has them itself."""
        with self.store(settings) as store:
            index = read_index(store, project)
        return {} if index is None else {file.filename: file.is_hosted for file in index.distributions}

    def promote(self, *projects: str) -> tuple[tuple[str, ...], ...]:
        """Promote, and return what was copied for each project."""
        releases = [(project, "1.0") for project in projects or ("foo-bar",)]
        plan = api.plan_promotion(releases, self.test.extra_index, self.config, self.final)
        return tuple(result.copied for result in api.promote(plan))


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def indexes(request: pytest.FixtureRequest, tmp_path: Path) -> Indexes:
    if request.param == "folder":
        return Indexes(tmp_path, f"file:{tmp_path}/")
    moto: Moto = request.getfixturevalue("moto")
    return Indexes(tmp_path, f"s3://{BUCKET}/", moto.endpoint_url)


def test_what_was_tested_is_copied_listed_and_sent_to_the_repository(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    before = {GENERIC: not indexes.links, PLUS: True, SDIST: not indexes.links}
    assert indexes.listed(indexes.test) == before
    assert indexes.promote() == ((PLUS, GENERIC, SDIST),)
    assert indexes.listed(indexes.final) == {GENERIC: True, PLUS: True, SDIST: True}
    with indexes.store(indexes.final) as store:
        assert verify(store, deep=True).is_sound
        index = read_index(store, "foo-bar")
    assert index is not None
    assert index.selectors == {"1.0": ("foo-bar-1.0-wheel-selector.toml",)}
    pypi = read_index(LocalStore(indexes.folder / "pypi"), "foo-bar")
    assert pypi is not None
    assert {file.filename for file in pypi.files} == {GENERIC, SDIST}
    assert indexes.listed(indexes.test) == before, "the test index stays"


def test_promoting_again_changes_nothing(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    indexes.promote()
    plan = api.plan_promotion([("foo-bar", "1.0")], indexes.test.extra_index, indexes.config, indexes.final)
    assert not plan
    (again,) = api.promote(plan)
    assert not again.changed


def test_a_family_goes_in_one_go_or_not_at_all(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    indexes.publish(GENERIC, PLUS, project="other")
    assert len(indexes.promote("foo-bar", "other")) == 2
    assert len(indexes.listed(indexes.final, "other")) == 3
    with pytest.raises(UsageError, match=r"has no release third 1\.0"):
        indexes.promote("foo-bar", "third")


def test_a_name_that_is_taken_by_other_bytes_stops_all_of_them(indexes: Indexes, tmp_path: Path) -> None:
    indexes.publish(GENERIC, PLUS)
    indexes.publish(GENERIC, PLUS, project="other")
    path = make_wheel(tmp_path / "own", PLUS.replace("foo_bar", "other"), files={"other.py": b"other bytes"})
    (plan,) = api.plan_upload([path], indexes.config, indexes.final)
    api.upload(plan)
    with pytest.raises(Conflict, match="the same name, other bytes"):
        indexes.promote("foo-bar", "other")
    assert indexes.listed(indexes.final) == {}


def test_bytes_that_the_index_does_not_list_are_not_promoted(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    with indexes.store(indexes.test) as store:
        size = store.stat(f"foo-bar/{PLUS}").size  # type: ignore[union-attr]
        store.delete(f"foo-bar/{PLUS}")
        content = b"x" * size
        store.create(f"foo-bar/{PLUS}", content, sha256=_sha256(content), content_type="application/octet-stream")
    with pytest.raises(FalseClaim, match="its SHA-256 is"):
        indexes.promote()
    assert indexes.listed(indexes.final) == {}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_yank_goes_along_also_later(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    indexes.promote()
    with indexes.store(indexes.test) as store:
        yank(store, "foo-bar", [PLUS], "wrong CUDA")
    indexes.promote()
    with indexes.store(indexes.final) as store:
        index = read_index(store, "foo-bar")
    assert index is not None
    assert {file.filename: file.yanked for file in index.distributions if file.yanked} == {PLUS: "wrong CUDA"}


def test_without_a_repository_what_was_only_linked_is_sent(indexes: Indexes) -> None:
    indexes.publish(GENERIC, PLUS)
    alone = UploadTable(extra_index=indexes.final.extra_index, endpoint_url=indexes.final.endpoint_url)
    api.promote(api.plan_promotion([("foo-bar", "1.0")], indexes.test.extra_index, indexes.config, alone))
    assert indexes.listed(alone) == {GENERIC: True, PLUS: True, SDIST: True}
    with indexes.store(alone) as store:
        assert verify(store, deep=True).is_sound
        assert store.stat(f"foo-bar/{GENERIC}.metadata")


def promote(*options: str) -> Result:
    return run_command(
        "index", "promote", "foo-bar==1.0", "--extra-index", "file:test", "--to", "file:simple", *options
    )


def test_the_command_shows_asks_copies_and_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Indexes(Path(), "file:").publish(GENERIC, PLUS)
    shown = promote("--dry-run", "--no-repository")
    assert shown.code == 0
    assert "cu128" in shown.stdout
    assert not Path("simple").exists()
    assert promote("--no-repository").code == 2, "nobody is there to say yes"
    done = promote("--yes", "--repository-url", "file:pypi")
    assert done.code == 0
    assert "3 copied on the store" in done.stdout
    again = promote("--repository-url", "file:pypi")
    assert (again.code, "nothing to do" in again.stdout) == (0, True)
    told = json.loads(promote("--repository-url", "file:pypi", "--format", "json").stdout)
    assert told["releases"][0]["published"]["changed"] is False
    itself = run_command("index", "promote", "foo-bar==1.0", "--extra-index", "file:test", "--to", "file:test")
    assert itself.code == 2


@pytest.mark.slow
@pytest.mark.parametrize("server", [pypiserver, devpi])
def test_a_real_repository_gets_its_share_by_twine(
    server: Callable[[Path], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test index links its generic wheel in one repository, and the release goes to another one."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TWINE_USERNAME", "root" if server is devpi else USER)
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    with pypiserver(tmp_path / "testpypi") as testing, server(tmp_path / "pypi") as final:
        indexes = Indexes(tmp_path, f"file:{tmp_path}/")
        indexes.test = msgspec.structs.replace(indexes.test, repository_url=testing)
        indexes.final = msgspec.structs.replace(indexes.final, repository_url=final)
        for name in (GENERIC, PLUS):
            make_wheel(tmp_path / "dist", name)
        for plan in api.plan_upload([tmp_path / "dist"], indexes.config, indexes.test):
            api.upload(plan)
        assert indexes.listed(indexes.test) == {GENERIC: False, PLUS: True}
        planned = api.plan_promotion([("foo-bar", "1.0")], indexes.test.extra_index, indexes.config, indexes.final)
        repository = TwineRepository(indexes.final)
        assert repository.existing("foo-bar") == (), "a plan sends nothing"
        (done,) = api.promote(planned)
        assert {*done.sent, *done.copied} == {GENERIC, PLUS}
        (file,) = repository.existing("foo-bar") or ()
        assert (file.filename, file.sha256) == (GENERIC, _sha256((tmp_path / "dist" / GENERIC).read_bytes()))
        assert indexes.listed(indexes.final) == {GENERIC: True, PLUS: True}
        again = api.plan_promotion([("foo-bar", "1.0")], indexes.test.extra_index, indexes.config, indexes.final)
        assert not again
        assert not any(result.changed for result in api.promote(again))
        repository.close()


def test_what_no_request_may_copy_whole_is_copied_in_parts_and_verified(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 GB is the most that one request copies; here it is 5 MiB."""
    part = 5 * 1024 * 1024
    monkeypatch.setattr(S3Store, "copy_part", part)
    indexes = Indexes(tmp_path, f"s3://{BUCKET}/", moto.endpoint_url)
    wheel = make_wheel(tmp_path / "foo_bar", PLUS, files={"foo_bar.bin": os.urandom(2 * part)})
    indexes.publish(GENERIC)
    ranges: list[str] = []
    monkeypatch.setattr(PartsUpload, "copy", _noting(ranges, PartsUpload.copy))
    indexes.promote()
    last = wheel.stat().st_size - 1
    wanted = [f"bytes=0-{part - 1}", f"bytes={part}-{2 * part - 1}", f"bytes={2 * part}-{last}"]
    assert [one for one in sorted(ranges, key=_offset) if one in wanted] == wanted
    with indexes.store(indexes.final) as store:
        assert verify(store, deep=True).is_sound
        assert store.digest(f"foo-bar/{PLUS}") == _sha256(wheel.read_bytes())


def _offset(text: str) -> int:
    return int(text.removeprefix("bytes=").partition("-")[0])


def _noting(ranges: list[str], whole: Callable[..., Any]) -> Callable[..., Any]:
    def copied(upload: PartsUpload, number: int, source: dict[str, Any]) -> Any:
        ranges.append(source["CopySourceRange"])
        return whole(upload, number, source)

    return copied
