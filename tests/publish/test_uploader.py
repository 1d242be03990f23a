"""Publishing a release to folders, whole, again, and cut off at every step."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import pytest
from pypi_simple import ProjectPage

from support.publishing import CONFIG, GENERIC, PLUS, SDIST, make_release, run, snapshot
from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.errors import VariantPublishError
from variant_publish.index.masters import read_index
from variant_publish.index.verify import verify
from variant_publish.progress import Advance
from variant_publish.publish.repository import FolderRepository
from variant_publish.release.release import load
from variant_publish.remote.listing import read_project
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict, CreateOutcome, ignore
from variant_publish.store.store import Source


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def upload_lines(root: Path, *, repository: bool = True) -> str:
    lines = f'extra-index = "{(root / "extra").as_uri()}"\n'
    return lines + (f'repository-url = "{(root / "pypi").as_uri()}"\n' if repository else "")


def check_links(root: Path) -> set[str]:
    """Open every link of the project page and compare the hashes; give the file names."""
    page_path = root / "extra/foo-bar/index.html"
    if not page_path.exists():
        return set()
    page = ProjectPage.from_html("foo-bar", page_path.read_text("utf-8"), base_url=page_path.resolve().as_uri())
    for package in page.packages:
        target = Path(url2pathname(urlsplit(urldefrag(urljoin(page_path.as_uri(), package.url)).url).path))
        assert hashlib.sha256(target.read_bytes()).hexdigest() == package.digests["sha256"]
        if package.has_metadata:
            assert package.metadata_digests is not None
            metadata = target.with_name(unquote(target.name) + ".metadata").read_bytes()
            assert hashlib.sha256(metadata).hexdigest() == package.metadata_digests["sha256"]
    return {package.filename for package in page.packages}


ALL = {GENERIC, PLUS, SDIST, "foo-bar-1.0-wheel-selector.toml"}


@pytest.mark.parametrize("repository", [True, False])
def test_everything_is_listed_wherever_it_lies(tmp_path: Path, repository: bool) -> None:
    release = make_release(tmp_path / "dist", upload=upload_lines(tmp_path, repository=repository), sdist=True)
    _, published = run(release)
    assert set(published.sent) == {GENERIC, PLUS, SDIST}
    assert published.sent[-1] == SDIST
    assert published.changed
    assert published.is_complete
    assert check_links(tmp_path) == ALL
    assert (tmp_path / "pypi/foo-bar" / GENERIC).exists() is repository
    assert (tmp_path / "extra/foo-bar" / GENERIC).exists() is not repository
    files = {file.filename: file for file in read_project((tmp_path / "extra").as_uri(), "foo-bar")}
    assert set(files) == ALL
    assert files[GENERIC].requires_python == ">=3.9,<4"


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    release = make_release(tmp_path / "dist", upload=upload_lines(tmp_path), sdist=True)
    run(release)
    before = snapshot(tmp_path)
    plan, published = run(release)
    assert not plan.changes
    assert not published.changed
    assert (published.sent, published.pages, published.linked) == ((), (), ())
    assert snapshot(tmp_path) == before


def test_a_release_can_come_in_parts(tmp_path: Path) -> None:
    upload = upload_lines(tmp_path)
    run(make_release(tmp_path / "one", PLUS, upload=upload))
    run(make_release(tmp_path / "two", GENERIC, upload=upload))
    _, last = run(make_release(tmp_path / "three", PLUS.replace("cu128", "cu130"), upload=upload))
    assert last.sent == (PLUS.replace("cu128", "cu130"),)
    assert check_links(tmp_path) == {GENERIC, PLUS, PLUS.replace("cu128", "cu130"), "foo-bar-1.0-wheel-selector.toml"}


def test_other_bytes_under_a_name_stop_everything(tmp_path: Path) -> None:
    upload = upload_lines(tmp_path)
    run(make_release(tmp_path / "one", upload=upload))
    before = snapshot(tmp_path / "extra"), snapshot(tmp_path / "pypi")
    new = PLUS.replace("cu128", "cu130")
    make_wheel(tmp_path / "two", PLUS, files={"foo_bar.py": b"other"})
    make_wheel(tmp_path / "two", GENERIC, files={"foo_bar.py": b"other"})
    release = make_release(tmp_path / "two", new, upload=upload)
    with pytest.raises(Conflict) as caught:
        run(release)
    assert PLUS in str(caught.value)
    assert GENERIC in str(caught.value)
    assert (snapshot(tmp_path / "extra"), snapshot(tmp_path / "pypi")) == before


def test_an_unlisted_file_with_other_bytes_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "extra/foo-bar" / PLUS
    target.parent.mkdir(parents=True)
    target.write_bytes(b"other bytes that no page lists")
    with pytest.raises(Conflict, match="cu128"):
        run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path)))
    assert target.read_bytes() == b"other bytes that no page lists"
    assert not (target.parent / "index.html").exists()


class Dying(LocalStore):
    """Die at the n-th write, before or after it has happened."""

    def __init__(self, folder: Path, life: int, *, after: bool) -> None:
        super().__init__(folder)
        self.life = life
        self.after = after

    def _die(self, *, after: bool) -> None:
        if after is not self.after:
            return
        self.life -= 1
        if self.life < 0:
            raise KeyboardInterrupt

    def create(
        self, key: str, source: Source, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> CreateOutcome:
        self._die(after=False)
        outcome = super().create(key, source, sha256=sha256, content_type=content_type, advance=advance)
        self._die(after=True)
        return outcome

    def swap(self, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int) -> bool:
        self._die(after=False)
        done = super().swap(key, content, etag=etag, content_type=content_type, generation=generation)
        self._die(after=True)
        return done


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_write_leaves_a_sound_index_and_the_next_run_finishes(tmp_path: Path, after: bool) -> None:
    whole = tmp_path / "whole"
    run(make_release(tmp_path / "dist", upload=upload_lines(whole), sdist=True))
    expected = {path: digest for path, (digest, _) in snapshot(whole).items()}
    cuts = 0
    for life in range(100):
        root = tmp_path / f"cut{life}"
        release = make_release(tmp_path / "dist", upload=upload_lines(root), sdist=True)
        try:
            run(release, Dying(root / "extra", life, after=after))
        except KeyboardInterrupt:
            cuts += 1
        else:
            break
        check_links(root)
        run(release)
        assert check_links(root) == ALL
        found = {path: digest for path, (digest, _) in snapshot(root).items()}
        assert found == expected
    assert cuts > 8


def test_the_result_is_for_machines(tmp_path: Path) -> None:
    table = run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path)))[1].table()
    assert table["schema-version"] == 1
    assert table["changed"] is True
    assert table["complete"] is True
    assert set(table["sent"]) == {GENERIC, PLUS}


class Watched(LocalStore):
    """Note what is asked for first, and how much room."""

    def __init__(self, folder: Path, log: list[tuple[str, object]]) -> None:
        super().__init__(folder)
        self.log = log

    def preflight(self, largest: int = 0) -> None:
        self.log.append(("preflight", largest))
        super().preflight(largest)

    def create(
        self, key: str, source: Source, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> CreateOutcome:
        self.log.append(("create", key))
        return super().create(key, source, sha256=sha256, content_type=content_type, advance=advance)


def test_room_is_asked_for_before_the_first_byte_and_only_for_what_is_sent(tmp_path: Path) -> None:
    lines = upload_lines(tmp_path, repository=False)
    big = make_wheel(tmp_path / "one", PLUS, files={"big.bin": os.urandom(100_000)})
    log: list[tuple[str, object]] = []
    store = Watched(tmp_path / "extra", log)
    run(make_release(tmp_path / "one", GENERIC, upload=lines), store)
    assert log[0] == ("preflight", big.stat().st_size)
    log.clear()
    other = make_wheel(tmp_path / "one", PLUS.replace("cu128", "cu130"))
    run(load([tmp_path / "one"], Config.parse(CONFIG + lines)).only(), store)
    assert log[0] == ("preflight", other.stat().st_size), "the big one is there already"
    log.clear()
    run(load([tmp_path / "one"], Config.parse(CONFIG + lines)).only(), store)
    assert "preflight" not in dict(log), "nothing changes, so nothing is asked"


def test_the_repository_is_asked_before_anything_is_sent_for_what_it_gets_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def refuse(repository: FolderRepository, paths: list[Path]) -> None:
        asked.append([path.name for path in paths])
        raise VariantPublishError("no credentials", hint="log in")

    monkeypatch.setattr(FolderRepository, "preflight", refuse)
    with pytest.raises(VariantPublishError, match="no credentials"):
        run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path), sdist=True))
    assert asked == [[GENERIC, SDIST]]
    assert not list((tmp_path / "extra").rglob("*.whl*"))


def test_files_of_the_repository_are_linked_and_not_listed_as_the_index_s_own(tmp_path: Path) -> None:
    run(make_release(tmp_path / "dist", upload=upload_lines(tmp_path), sdist=True))
    index = read_index(LocalStore(tmp_path / "extra"), "foo-bar")
    assert index is not None
    assert {file.filename: file.is_hosted for file in index.distributions} == {PLUS: True, GENERIC: False, SDIST: False}


def test_what_is_listed_and_lost_is_sent_again(tmp_path: Path) -> None:
    release = make_release(tmp_path / "dist", upload=f'extra-index = "file:{tmp_path / "index"}"\n')
    run(release)
    (tmp_path / "index/foo-bar" / PLUS).unlink()
    (tmp_path / "index/foo-bar" / f"{GENERIC}.metadata").unlink()
    plan, published = run(release)
    assert plan.changes
    assert published.sent == (PLUS,)
    store = LocalStore(tmp_path / "index")
    assert verify(store, deep=True).is_sound
    assert run(release)[0].changes is False
