"""An in-place rewrite is killed at every call that changes a file; nothing is ever lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.archives import assert_gap_free, contents
from support.wheels import make_wheel
from variant_publish.archive.journal import Journal, recover, recover_folder, recover_wheel, unfinished
from variant_publish.archive.retag import Rename, Rewrite, retag, retag_in_place
from variant_publish.config.configuration import Config
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import VariantPublishError
from variant_publish.release.release import load, wheel_paths

NAME = "foo-1.0-py3-none-linux_x86_64.whl"
NEW = "foo-1.0-py3-none-linux_x86_64+cu128.whl"
TAGGED = Rewrite(PLUS, ("cu128",))
WRITES = ("write", "sendfile", "copy_file_range", "ftruncate", "fsync", "replace", "rename", "unlink", "link", "open")


def wheels(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def link(path: Path, kind: str, target: Path) -> None:
    """Make a link, or skip the test where this user may not."""
    try:
        getattr(path, kind)(target)
    except OSError as error:
        pytest.skip(f"no links here: {error.strerror}")


def die_at(call: int, *, torn: bool) -> None:
    """Make this process kill itself at the given changing call: before it, or in the middle of a write."""
    left = call

    def deadly(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if torn and name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                elif torn and name == "copy_file_range":
                    real(args[0], args[1], args[2] // 2, *args[3:])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return patched

    for name in WRITES:
        if hasattr(os, name):
            setattr(os, name, deadly(name, getattr(os, name)))


def killed_at(call: int, work: Callable[[], object], *, torn: bool) -> bool:
    """Do the work in a child that dies at a call; False where it came to its end before."""
    pid = os.fork()
    if pid == 0:
        try:
            die_at(call, torn=torn)
            work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_a_kill_at_any_write_loses_nothing(tmp_path: Path, torn: bool, moved: bool) -> None:
    files = {f"foo/{number}.bin": os.urandom(70_000) for number in range(3)}
    source = make_wheel(tmp_path / "source", NAME, files=files, info_first=moved)
    before = contents(source)
    after = contents(retag(source, tmp_path / "wanted", TAGGED).path)
    folder = tmp_path / "work"
    for call in range(1, 200):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(source, folder)
        killed = killed_at(call, lambda: retag_in_place(folder / NAME, TAGGED), torn=torn)
        if not killed:
            break
        assert killed_at(3, lambda: recover_folder(folder), torn=torn) in (True, False)  # recovery may be killed too
        (place,) = wheel_paths([recover(folder)])
        assert wheels(folder) == [place.name]
        assert contents(place) == (before if place.name == NAME else after)
        assert_gap_free(place)
    assert call > 15
    assert wheels(folder) == [NEW]
    assert contents(folder / NEW) == after


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("asked", [NAME, NEW])
def test_a_wheel_that_was_cut_off_is_found_by_either_name(tmp_path: Path, asked: str) -> None:
    for call in range(1, 40):
        folder = tmp_path / str(call)
        make_wheel(folder, NAME)
        if not killed_at(call, lambda folder=folder: retag_in_place(folder / NAME, TAGGED), torn=False):  # type: ignore[misc]
            break
        place = recover_wheel(folder / asked)
        if place.exists():
            assert contents(place)
        else:
            assert (asked, wheels(folder)[-1]) == (NEW, NAME)  # it had not begun


def test_in_place_gives_the_same_wheel_as_a_copy(tmp_path: Path) -> None:
    for number, rewrite in enumerate((TAGGED, Rewrite(rename=Rename("foo", "bar")), Rewrite(add=("numpy",)))):
        for first in (False, True):
            source = make_wheel(tmp_path / f"{number}{first}", NAME, info_first=first)
            copy = retag(source, tmp_path / f"copy{number}{first}", rewrite)
            mine = retag_in_place(source, rewrite)
            assert mine.path == source.with_name(copy.path.name)
            assert mine.path.read_bytes() == copy.path.read_bytes()
            assert wheels(source.parent) == [copy.path.name]


def test_what_would_not_change_is_left_alone(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    before = source.stat()
    assert retag_in_place(source, Rewrite()).existed
    assert source.stat() == before


def test_a_wheel_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    (tmp_path / NEW).write_bytes(b"precious")
    with pytest.raises(VariantPublishError, match="exists already"):
        retag_in_place(source, TAGGED)
    assert (tmp_path / NEW).read_bytes() == b"precious"
    assert contents(source)


def test_bytes_with_other_names_are_not_changed(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    other = tmp_path / "other.zip"
    other.hardlink_to(source)
    before = contents(source)
    result = retag_in_place(source, TAGGED)
    assert "links" in result.note
    assert contents(other) == before
    assert wheels(tmp_path) == [NEW, "other.zip"]


def test_a_large_end_is_copied_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.archive.retag._SMALL_TAIL", 100)
    source = make_wheel(tmp_path, NAME, files={"foo.bin": os.urandom(50_000)}, info_first=True)
    result = retag_in_place(source, TAGGED)
    assert "was copied" in result.note
    assert wheels(tmp_path) == [NEW]


def test_a_rewrite_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    with Journal.create(source):
        for call in (
            lambda: recover_folder(tmp_path),
            lambda: recover_wheel(source),
            lambda: retag_in_place(source, TAGGED),
        ):
            with pytest.raises(VariantPublishError, match="by another process"):
                call()
        recover_wheel(tmp_path / "another.whl")
    assert not source.with_name(f".{NAME}.retag-journal").exists() or recover_wheel(source) == source


@pytest.mark.parametrize("text", [b"", b"nonsense", b"\0" * 100])
def test_a_journal_that_is_not_whole_means_that_nothing_was_touched(tmp_path: Path, text: bytes) -> None:
    source = make_wheel(tmp_path, NAME)
    source.with_name(f".{NAME}.retag-journal").write_bytes(text)
    assert wheel_paths([recover(tmp_path)]) == [source]
    assert wheels(tmp_path) == [NAME]


def test_a_journal_leads_nowhere_else(tmp_path: Path) -> None:
    source = make_wheel(tmp_path / "in", NAME)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    with pytest.raises(VariantPublishError, match="file name"), Journal.create(source) as journal:
        journal.seal("../evil.whl", 0)
    with Journal.create(source) as journal:
        os.write(journal.descriptor, b"tail")
        journal.seal(NEW, 0)
    link(source.with_name(f".{NAME}.retagging"), "symlink_to", victim)
    with pytest.raises(VariantPublishError, match="symbolic"):
        recover_folder(source.parent)
    assert victim.read_bytes() == b"precious"


def test_a_damaged_journal_of_a_wheel_that_was_touched_is_an_error(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    source.rename(source.with_name(f".{NAME}.retagging"))
    source.with_name(f".{NAME}.retag-journal").write_bytes(b"nonsense")
    with pytest.raises(VariantPublishError, match="is damaged"):
        recover(tmp_path)


def cut_off(folder: Path) -> Path:
    """Leave an in-place rewrite of a wheel unfinished: the journal is complete and the wheel hidden."""
    source = make_wheel(folder, NAME)
    with Journal.create(source) as journal:
        os.write(journal.descriptor, b"new end")
        journal.seal(NEW, 10)
        journal.begin()
    return source


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
@pytest.mark.parametrize("kind", ["hardlink_to", "symlink_to"])
def test_a_link_in_place_of_the_hidden_wheel_is_refused_and_what_it_names_stays(tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"x" * 100)
    source = cut_off(tmp_path / "shared")
    hidden = source.with_name(f".{NAME}.retagging")
    hidden.unlink()
    link(hidden, kind, precious)
    with pytest.raises(VariantPublishError):
        recover(source.parent)
    assert precious.read_bytes() == b"x" * 100


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_journal_of_another_user_is_refused(tmp_path: Path) -> None:
    source = cut_off(tmp_path)
    os.chown(source.with_name(f".{NAME}.retag-journal"), 12345, -1)
    with pytest.raises(VariantPublishError, match="belongs to another user"):
        recover(tmp_path)


def test_checking_a_folder_reports_an_unfinished_retag_and_writes_nothing(tmp_path: Path) -> None:
    cut_off(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    loaded = load([tmp_path], Config.load(None))
    (unreadable,) = loaded.unreadable
    assert unreadable.path.name == NAME
    assert "half retagged" in unreadable.error.message
    assert "retag --in-place' again" in (unreadable.error.hint or "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_wheel_that_has_come_under_the_new_name_stays_and_is_named(tmp_path: Path) -> None:
    source = cut_off(tmp_path)
    (tmp_path / NEW).write_bytes(b"precious")
    with pytest.raises(VariantPublishError, match=rf"cannot be renamed: {re.escape(NEW)} exists already"):
        recover(tmp_path)
    assert (tmp_path / NEW).read_bytes() == b"precious"
    assert source.with_name(f".{NAME}.retagging").exists()


def test_a_journal_of_another_wheel_says_nothing_of_this_one(tmp_path: Path) -> None:
    other = tmp_path / "bar-1.0-py3-none-any.whl"
    cut_off(tmp_path)
    assert unfinished(tmp_path / NAME) == [tmp_path / NAME]
    assert unfinished(other) == []
    assert unfinished(tmp_path) == [tmp_path / NAME]
