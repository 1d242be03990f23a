"""A release that comes from many machines is listed whole or not at all."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support import jobs
from support.moto import BUCKET, Moto
from support.publishing import GENERIC, PLUS, SDIST
from support.soundness import check_whole
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.stage import StageState, Status
from variant_publish.index.masters import read_index
from variant_publish.index.verify import verify
from variant_publish.publish.staging import abort, begin, forget, read_stage, stale_stages
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict
from variant_publish.store.places import open_store
from variant_publish.store.store import Store

CONFIG = """
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["manylinux_2_28_x86_64"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""


class Place:
    """Hold an index in a folder with a folder as its repository, and do what the commands do there."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        self.folder = folder
        self.config = Config.parse(config)
        self.settings = UploadTable(
            extra_index=f"file:{folder / 'index'}", repository_url=f"file:{folder / 'repository'}"
        )
        self.store = LocalStore(folder / "index")
        self.repository = LocalStore(folder / "repository")

    def wheel(self, name: str, **options: object) -> Path:
        return make_wheel(self.folder / "jobs" / name, name, **options)  # type: ignore[arg-type]

    def stage(self, path: Path, name: str = "foo") -> tuple[str, ...]:
        return api.stage([path], name, self.config, self.settings)[0].sent

    def release(self, name: str = "foo") -> bool:
        """Give whether it went out."""
        return bool(api.release(api.plan_staged(name, self.config, self.settings, offline=True)))

    def listed(self, store: Store | None = None) -> list[str]:
        index = read_index(store or self.store, "foo-bar")
        return [] if index is None else sorted(file.filename for file in index.distributions)

    def objects(self) -> list[str]:
        return [item.key for item in self.store.keys("")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_is_listed_before_the_release_and_everything_after_it(place: Place) -> None:
    assert place.stage(place.wheel(GENERIC)) == (GENERIC,)
    assert place.stage(place.wheel(PLUS)) == (PLUS,)
    assert place.listed() == []
    assert place.release()
    assert place.listed() == sorted([GENERIC, PLUS])
    assert place.listed(place.repository) == [GENERIC]
    assert verify(place.store, deep=True).is_sound
    assert not [key for key in place.objects() if key.endswith(".summary.json")]


def test_the_index_is_whole_by_itself_before_the_repository_gets_its_share(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise VariantPublishError("the repository is down", hint="wait")

    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    with monkeypatch.context() as patch:
        patch.setattr("variant_publish.publish.repository.FolderRepository.upload", refuse)
        with pytest.raises(VariantPublishError, match="is down"):
            place.release()
    index = read_index(place.store, "foo-bar")
    assert index is not None
    assert all(file.is_hosted for file in index.distributions)
    assert place.listed() == sorted([GENERIC, PLUS])
    assert read_stage(place.store, "foo").state.status is Status.RELEASING
    assert place.release()
    assert place.listed(place.repository) == [GENERIC]


def test_an_incomplete_release_lists_nothing_and_can_be_completed(place: Place) -> None:
    place.stage(place.wheel(PLUS))
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    assert "VP301" in [finding.id for finding in planned.report.findings]
    assert api.release(planned) == ()
    assert place.listed() == []
    place.stage(place.wheel(GENERIC))
    assert place.release()


def test_what_a_job_found_in_its_wheel_forbids_the_release(place: Place) -> None:
    place.stage(place.wheel(GENERIC, files={"../x": b""}))
    place.stage(place.wheel(PLUS))
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    assert [(finding.id, finding.file) for finding in planned.report.findings if finding.id == "VP108"] == [
        ("VP108", GENERIC)
    ]
    assert not place.release()
    assert place.listed() == []


def test_the_same_wheel_twice_is_sent_once_and_other_bytes_are_refused(place: Place) -> None:
    path = place.wheel(PLUS)
    assert place.stage(path) == (PLUS,)
    assert place.stage(path) == ()
    other = make_wheel(place.folder / "other", PLUS, files={"foo.py": b"other"})
    with pytest.raises(Conflict, match="is there already with other bytes"):
        place.stage(other)


def test_sdists_are_staged_and_released_last(place: Place) -> None:
    path = place.wheel(GENERIC)
    (path.parent / SDIST).write_bytes(b"a source distribution")
    place.stage(path.parent)
    place.stage(place.wheel(PLUS))
    assert place.release()
    assert place.listed() == sorted([GENERIC, PLUS, SDIST])
    assert place.listed(place.repository) == [GENERIC, SDIST]


def test_a_released_stage_takes_no_more_and_says_so_again(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    assert place.release()
    with pytest.raises(Conflict, match="is released, and takes no more files"):
        place.stage(place.wheel(PLUS))
    assert api.plan_staged("foo", place.config, place.settings).is_released
    assert not place.release()
    with pytest.raises(Conflict, match="is listed already"):
        abort(place.store, "foo")


def test_a_file_that_comes_after_the_list_was_made_fast_is_not_part_of_it(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    staged = begin(place.store, read_stage(place.store, "foo"))
    late = GENERIC.replace("py3-none", "cp312-cp312")
    key = f".staged/foo/foo-bar/{late}.summary.json"
    summary = read_stage(place.store, "foo").summaries[0][1]
    content = summary.dumps().replace(summary.file, late).encode()
    place.store.create(key, content, sha256=hashlib.sha256(content).hexdigest(), content_type="application/json")
    found = read_stage(place.store, "foo")
    assert (found.summaries, found.late) == (staged.summaries, (late,))
    assert place.release()
    assert late not in place.listed()


def test_two_commands_cannot_change_one_stage(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    seen = read_stage(place.store, "foo")
    begin(place.store, seen)
    with pytest.raises(Conflict, match="was changed by another command"):
        begin(place.store, seen)
    with pytest.raises(Conflict, match="about to be"):
        abort(place.store, "foo")


def test_withdrawing_takes_the_files_away_and_frees_the_names(place: Place) -> None:
    place.stage(place.wheel(PLUS))
    assert abort(place.store, "foo") == (PLUS,)
    assert [key for key in place.objects() if not key.startswith(".variant-publish")] == []
    place.stage(make_wheel(place.folder / "other", PLUS, files={"foo.py": b"other"}))
    with pytest.raises(VariantPublishError, match="has no staged release 'bar'"):
        abort(place.store, "bar")


def test_withdrawing_reads_no_summary(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stage(place.wheel(PLUS))
    monkeypatch.setattr("variant_publish.formats.summary.Summary.parse", lambda *_: 1 / 0)
    assert abort(place.store, "foo") == (PLUS,)


def test_withdrawing_leaves_what_a_page_or_another_stage_has(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.release()
    place.stage(place.wheel(GENERIC), "second")
    third = place.wheel(GENERIC.replace("py3-none", "cp312-cp312"))
    place.stage(third, "second")
    place.stage(third, "third")
    assert abort(place.store, "second") == ()
    assert f"foo-bar/{third.name}" in place.objects()
    assert abort(place.store, "third") == (third.name,)
    assert verify(place.store, deep=True).is_sound


def test_a_withdrawal_that_was_cut_off_is_finished_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stage(place.wheel(PLUS))
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            abort(place.store, "foo")
    with pytest.raises(Conflict, match="is aborting, and takes no more"):
        place.stage(place.wheel(GENERIC))
    assert abort(place.store, "foo") == (PLUS,)
    assert place.stage(place.wheel(GENERIC)) == (GENERIC,)


def test_a_file_that_went_away_is_told_before_anything_is_listed(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.store.delete(f"foo-bar/{PLUS}")
    with pytest.raises(VariantPublishError, match="is not there any more"):
        place.release()
    assert place.listed() == []


def test_stages_that_were_left_alone_are_found_and_taken_away(place: Place) -> None:
    place.stage(place.wheel(PLUS))
    later = datetime.now(UTC) + timedelta(days=8)
    assert stale_stages(place.store, 7, datetime.now(UTC)) == ()
    assert stale_stages(place.store, 7, later) == ("foo",)
    begin(place.store, read_stage(place.store, "foo"))
    assert stale_stages(place.store, 7, later) == (), "it is being released"
    place.stage(place.wheel(GENERIC), "bar")
    forget(place.store, "bar")
    assert not [key for key in place.objects() if "/bar/" in key]


def test_of_a_released_stage_the_note_alone_is_left_to_forget(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.release()
    forget(place.store, "foo")
    assert not [key for key in place.objects() if key.startswith(".staged")]
    assert place.listed() == sorted([GENERIC, PLUS])


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "-x", "x" * 101, "a b"])
def test_a_name_that_is_no_folder_is_refused(place: Place, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a staged release"):
        place.stage(place.wheel(PLUS), name)


def test_a_state_says_the_same_after_it_was_read() -> None:
    state = StageState(Status.RELEASING, ("a", "b"), 3)
    assert StageState.parse(state.dumps()) == state
    for wrong in ("", "{}", '{"schema-version": 2}', '{"schema-version": 1, "status": "x"}'):
        with pytest.raises(VariantPublishError, match=r"state\.json is not what this program writes"):
            StageState.parse(wrong)


WHEELS = 10


def many(jobs: int) -> str:
    """Give the configuration of a release that so many jobs make, each for a Python of its own."""
    return f"""
        [tool.variant-publish.matrix]
        python = [{", ".join(f'"cp{300 + job}-cp{300 + job}"' for job in range(jobs))}]
        platform = [{", ".join(f'"manylinux_2_{number}_x86_64"' for number in range(20, 20 + WHEELS // 2))}]
        [tool.variant-publish.variants.cu128]
        properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
    """


def stage_share(folder: str, extra_index: str, endpoint_url: str | None, count: int) -> None:
    """Stage a folder, as a job of CI does."""
    settings = UploadTable(extra_index=extra_index, endpoint_url=endpoint_url)
    api.stage([Path(folder)], "big", Config.parse(many(count)), settings)
    os._exit(0)


def names_of(job: int) -> Iterator[str]:
    for number in range(20, 20 + WHEELS // 2):
        plain = f"foo_bar-1.0-cp{300 + job}-cp{300 + job}-manylinux_2_{number}_x86_64"
        yield from (f"{plain}.whl", f"{plain}+cu128.whl")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked from a server that is warm")
@pytest.mark.parametrize(("kind", "count"), [("folder", 100), ("bucket", 20)])
def test_nobody_sees_a_part_of_what_many_jobs_stage_at_once(kind: str, count: int, tmp_path: Path, moto: Moto) -> None:
    """A hundred jobs stage a thousand wheels; one of them is killed, and one wheel comes late."""
    place, address = (
        (f"file:{tmp_path / 'index'}", None) if kind == "folder" else (f"s3://{BUCKET}/simple", moto.endpoint_url)
    )
    settings, config = UploadTable(extra_index=place, endpoint_url=address), Config.parse(many(count))
    for job in range(count):
        for name in names_of(job):
            make_wheel(tmp_path / str(job), name, files={"foo_bar.py": b"A = 1\n"})
    held_back = next(names_of(count - 1))
    (tmp_path / str(count - 1) / held_back).rename(tmp_path / held_back)
    context = jobs.context()
    running = [
        context.Process(target=stage_share, args=(str(tmp_path / str(job)), place, address, count))
        for job in range(count)
    ]
    for process in running:
        process.start()
    with closing(open_store(place, endpoint_url=address)) as store:
        victim = running[7]
        while victim.is_alive() and not any(item.key.endswith(".whl") for item in store.keys("foo-bar/")):
            time.sleep(0.05)
        assert victim.pid
        os.kill(victim.pid, signal.SIGKILL)
        for process in running:
            process.join(300)
        codes = [process.exitcode for process in running]
        assert codes.pop(7) in (-signal.SIGKILL, 0)
        assert set(codes) == {0}
        assert read_index(store, "foo-bar") is None
        planned = api.plan_staged("big", config, settings, offline=True)
        assert "VP301" in {finding.id for finding in planned.report.findings}
        assert api.release(planned) == ()
        assert read_index(store, "foo-bar") is None
        api.stage([tmp_path / "7", tmp_path / held_back], "big", config, settings)
        whole = api.plan_staged("big", config, settings, offline=True)
        assert len(whole.staged.summaries) == count * WHEELS
        assert whole.report.exit_code() == 0
        api.release(whole)
        index = read_index(store, "foo-bar")
        assert index is not None
        assert index.generation == 1, "one change lists everything"
        assert {file.filename for file in index.distributions} == {
            name for job in range(count) for name in names_of(job)
        }
        assert verify(store, deep=kind == "folder").is_sound
    if kind == "bucket":
        assert set(check_whole(moto)["foo-bar"]) == {file.filename for file in index.files}
