"""A release that comes from many machines is listed whole or not at all, and its testers see it first."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from pathlib import Path

import pytest

from support import jobs
from support.moto import BUCKET, Moto
from support.publishing import GENERIC, PLUS, SDIST
from support.soundness import check_whole
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.check.engine.trial import Trial
from variant_publish.check.rules import running
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.stage_state import InvalidStage, StagedFile, StageState, Status
from variant_publish.index.masters import read_index
from variant_publish.index.verify import verify
from variant_publish.publish.stage import Stage
from variant_publish.publish.stage_places import stage_address, stale_stages
from variant_publish.publish.verified_files import FalseClaim
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict
from variant_publish.store.places import open_store
from variant_publish.store.store import Store

CONFIG = """
[tool.variant-publish]
dialects = ["plus"]
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
        self.stages = LocalStore(folder / "index" / ".staged")

    def wheel(self, name: str, **options: object) -> Path:
        return make_wheel(self.folder / "jobs" / name, name, **options)  # type: ignore[arg-type]

    def stage(self, path: Path, name: str = "foo") -> tuple[str, ...]:
        return api.stage([path], name, self.config, self.settings)[0].sent

    def opened(self, name: str = "foo") -> Stage:
        return Stage(name, LocalStore(self.stages.folder / name))

    def release(self, name: str = "foo", trust_summaries: bool = False) -> bool:
        """Return whether it went out."""
        return bool(
            api.release(
                api.plan_staged(name, self.config, self.settings, offline=True), trust_summaries=trust_summaries
            )
        )

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
    assert {key for key in place.objects() if not key.startswith((".staged/", ".variant-publish/"))} == set()
    assert place.release()
    assert place.listed() == sorted([GENERIC, PLUS])
    assert place.listed(place.repository) == [GENERIC]
    assert verify(place.store, deep=True).is_sound
    assert [item.key for item in place.opened().store.keys("")] == ["state.json"]


def test_what_wheels_did_when_they_were_run_is_known_when_the_whole_is_released(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job that has the wheel runs it; whoever releases runs nothing."""
    monkeypatch.setattr(running, "missing_tool", lambda: "")
    monkeypatch.setattr(running, "tried", lambda *given: Trial(3, {1: "foo/a.so", 2: "foo/a.so"}))
    staged = api.stage([place.wheel(GENERIC)], "foo", place.config, place.settings, run=True)[1]
    place.stage(place.wheel(PLUS))
    monkeypatch.setattr(running, "tried", lambda *given: pytest.fail("it is run again"))
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    dies = [
        (found.file, found.message)
        for report in (staged, planned.report)
        for found in report.findings
        if found.id == "VP901"
    ]
    assert dies == [(GENERIC, "it dies on x86-64-v1 in foo/a.so; it runs on x86-64-v3")] * 2
    assert (planned.report.exit_code(), planned.planned) == (1, ())
    assert not place.release()


def test_a_check_by_summaries_knows_what_wheels_did(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "missing_tool", lambda: "")
    monkeypatch.setattr(running, "tried", lambda *given: Trial(2, {1: "foo/a.so"}))
    folder = place.wheel(GENERIC).parent
    whole = api.check([folder], place.config, api.CheckOptions(run=True, summaries=True, offline=True))
    monkeypatch.setattr(running, "tried", lambda *given: pytest.fail("it is run again"))
    told = api.check(
        list(api.write_summaries(whole, place.folder / "summaries")), place.config, api.CheckOptions(offline=True)
    )
    for report in (whole, told):
        assert [found.message for found in report.findings if found.id == "VP901"] == [
            "it dies on x86-64-v1 in foo/a.so; it runs on x86-64-v2"
        ]


def test_a_stage_is_an_index_of_its_own(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    stage = place.opened()
    assert place.listed(stage.store) == sorted([GENERIC, PLUS])
    found = verify(stage.store, deep=True)
    assert found.is_sound
    index = read_index(stage.store, "foo-bar")
    assert index is not None
    assert list(index.selectors["1.0"]) == ["foo-bar-1.0-wheel-selector.toml"]
    assert index.public_url == stage_address(place.settings, "foo") == (stage.store.folder).resolve().as_uri()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"extra_index": "s3://b/simple"}, ""),
        ({"extra_index": "s3://b/simple", "public_url": "https://h/simple/"}, "https://h/simple/.staged/foo"),
        ({"extra_index": "s3://b/simple", "public_url": "https://h/simple", "stage": "s3://private"}, ""),
        ({"stage": "s3://private", "stage_url": "https://stage.h/"}, "https://stage.h/foo"),
    ],
)
def test_the_address_for_testers_has_no_password_and_is_not_guessed(settings: dict[str, str], address: str) -> None:
    assert stage_address(UploadTable(**settings), "foo") == address  # type: ignore[arg-type]


def test_a_stage_in_a_place_of_its_own_leaves_the_index_alone_until_the_release(place: Place, tmp_path: Path) -> None:
    place.settings = UploadTable(extra_index=f"file:{tmp_path / 'index'}", stage=f"file:{tmp_path / 'stages'}")
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    assert not (tmp_path / "index").exists()
    assert (tmp_path / "stages/foo/foo-bar" / PLUS).exists()
    assert place.release()
    assert place.listed() == sorted([GENERIC, PLUS])
    assert verify(place.store, deep=True).is_sound
    assert not list((tmp_path / "stages").rglob("*.whl*"))


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
    assert place.opened().contents().state.status is Status.RELEASING
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
    with pytest.raises(Conflict, match="the same name, other bytes"):
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
        place.opened().abort()


def test_a_file_that_comes_after_the_list_was_made_fast_is_not_part_of_it(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    stage = place.opened()
    before = stage.contents()
    stage.begin(before)
    late = GENERIC.replace("py3-none", "cp312-cp312")
    content = before.summaries[0][1].dumps().replace(before.summaries[0][1].file, late).encode()
    put(stage.store, f"foo-bar/{late}.summary.json", content)
    found = stage.contents()
    assert (found.summaries, found.late) == (before.summaries, (late,))
    assert place.release()
    assert late not in place.listed()


def put(store: Store, key: str, content: bytes) -> None:
    """Write an object whatever is there, as a hostile job would."""
    store.delete(key)
    store.create(key, content, sha256=hashlib.sha256(content).hexdigest(), content_type="application/json")


def test_two_commands_cannot_change_one_stage(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    stage = place.opened()
    seen = stage.contents()
    stage.begin(seen)
    with pytest.raises(Conflict, match="was changed by another command"):
        stage.begin(seen)
    with pytest.raises(Conflict, match="about to be"):
        stage.abort()


def test_aborting_deletes_the_files_and_frees_the_names(place: Place) -> None:
    place.stage(place.wheel(PLUS))
    assert place.opened().abort() == (PLUS,)
    assert [key for key in place.objects() if ".variant-publish" not in key] == []
    place.stage(make_wheel(place.folder / "other", PLUS, files={"foo.py": b"other"}))
    with pytest.raises(VariantPublishError, match="has no staged release 'bar'"):
        place.opened("bar").abort()


def test_aborting_reads_no_summary(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stage(place.wheel(PLUS))
    monkeypatch.setattr("variant_publish.formats.summary.Summary.parse", lambda *_: 1 / 0)
    assert place.opened().abort() == (PLUS,)


def test_aborting_leaves_what_is_published_and_other_stages(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.release()
    for name in ("second", "third"):
        place.stage(place.wheel(GENERIC), name)
    assert place.opened("second").abort() == (GENERIC,)
    assert place.listed(place.opened("third").store) == [GENERIC]
    assert verify(place.store, deep=True).is_sound
    assert place.listed() == sorted([GENERIC, PLUS])


def test_an_abort_that_was_cut_off_is_finished_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stage(place.wheel(PLUS))
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.opened().abort()
    with pytest.raises(Conflict, match="is aborting, and takes no more"):
        place.stage(place.wheel(GENERIC))
    assert place.opened().abort() == (PLUS,)
    assert place.stage(place.wheel(GENERIC)) == (GENERIC,)


def test_a_file_that_went_away_is_named_before_anything_is_listed(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.opened().store.delete(f"foo-bar/{PLUS}")
    with pytest.raises(VariantPublishError, match="is not there any more"):
        place.release()
    assert place.listed() == []


def test_a_release_that_was_cut_off_is_finished_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill it at every write and every deletion."""
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    for life in range(60):
        left = life

        def dying(store: LocalStore, real: Callable[..., object], *arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return real(store, *arguments, **options)

        with monkeypatch.context() as patch:
            for name in ("create", "swap", "delete"):
                patch.setattr(LocalStore, name, partialmethod(dying, getattr(LocalStore, name)))
            try:
                place.release()
            except KeyboardInterrupt:
                continue
        break
    assert life > 5
    place.release()
    assert place.listed() == sorted([GENERIC, PLUS])
    assert place.listed(place.repository) == [GENERIC]
    assert [item.key for item in place.opened().store.keys("")] == ["state.json"]
    assert verify(place.store, deep=True).is_sound


def test_stages_that_were_left_alone_are_found_and_deleted(place: Place) -> None:
    place.stage(place.wheel(PLUS))
    later = datetime.now(UTC) + timedelta(days=8)
    assert stale_stages(place.stages, 7, datetime.now(UTC)) == ()
    assert stale_stages(place.stages, 7, later) == ("foo",)
    place.opened().begin(place.opened().contents())
    assert stale_stages(place.stages, 7, later) == (), "it is being released"
    place.stage(place.wheel(GENERIC), "bar")
    place.opened("bar").forget()
    assert not [key for key in place.objects() if "/bar/" in key and ".variant-publish" not in key]


def test_of_a_released_stage_only_the_state_is_left_to_forget(place: Place) -> None:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    place.release()
    place.opened().forget()
    assert not [key for key in place.objects() if key.startswith(".staged") and ".variant-publish" not in key]
    assert place.listed() == sorted([GENERIC, PLUS])


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "-x", "x" * 101, "a b"])
def test_a_name_that_is_no_folder_is_refused(place: Place, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a staged release"):
        place.stage(place.wheel(PLUS), name)


def staged(place: Place) -> Stage:
    place.stage(place.wheel(GENERIC))
    place.stage(place.wheel(PLUS))
    return place.opened()


def forge(stage: Stage, filename: str = PLUS, **changes: object) -> None:
    """Change what the summary of a staged file says."""
    key = f"foo-bar/{filename}.summary.json"
    stored = stage.store.read(key)
    assert stored is not None
    put(stage.store, key, json.dumps({**json.loads(stored.content), **changes}).encode())


@pytest.mark.parametrize("filename", [GENERIC, PLUS])
def test_other_bytes_than_the_summary_says_are_refused_before_anything_is_listed(place: Place, filename: str) -> None:
    stage = staged(place)
    forge(stage, filename, sha256="0" * 64)
    with pytest.raises(FalseClaim, match="its SHA-256 is"):
        place.release()
    assert place.listed() == []
    assert place.listed(place.repository) == []
    assert stage.contents().state.status is Status.OPEN


def test_forged_metadata_is_refused(place: Place) -> None:
    stage = staged(place)
    summary = dict(stage.contents().summaries)[StagedFile("foo-bar", PLUS)]
    files = {**summary.files, "METADATA": summary.files["METADATA"] + b"Requires-Dist: evil\n"}
    forge(stage, files={name: base64.b64encode(content).decode() for name, content in files.items()})
    with pytest.raises(FalseClaim, match="another METADATA"):
        place.release()
    assert place.listed() == []


def test_another_size_is_refused_before_the_file_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(place)
    contents = stage.contents()
    wheel = Path(stage.store.folder) / "foo-bar" / PLUS  # type: ignore[attr-defined]
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    wheel.write_bytes(wheel.read_bytes() + b"x" * 100)
    read = reads(monkeypatch)
    with pytest.raises(FalseClaim, match="bytes, and"):
        api.release(planned)
    assert f"foo-bar/{PLUS}" not in read
    assert stage.contents().state == contents.state
    assert place.listed() == []


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the keys of files that are read from now on, each time they are."""
    seen: list[str] = []
    real = LocalStore.read_range

    def read_range(store: LocalStore, key: str, offset: int, length: int, etag: str = "") -> bytes:
        seen.append(key)
        return real(store, key, offset, length, etag)

    monkeypatch.setattr(LocalStore, "read_range", read_range)
    return seen


def test_trusted_summaries_are_not_read_but_for_what_the_repository_gets(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged(place)
    read = reads(monkeypatch)
    assert place.release(trust_summaries=True)
    assert set(read) == {f"foo-bar/{GENERIC}"}
    assert place.listed() == sorted([GENERIC, PLUS])


def test_every_file_is_read_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    staged(place)
    read = reads(monkeypatch)
    assert place.release()
    assert sorted(read) == sorted([f"foo-bar/{GENERIC}", f"foo-bar/{PLUS}"])


def test_a_file_of_another_project_is_refused_by_name(place: Place) -> None:
    staged(place)
    evil = make_wheel(place.folder / "evil", "evil-1.0-py3-none-any.whl")
    place.stage(evil)
    with pytest.raises(UsageError, match=r"foo_bar.* of the project foo-bar is staged into a release of evil"):
        place.release()
    named = Place(place.folder, CONFIG + '[project]\nname = "Foo_Bar"\n')
    with pytest.raises(UsageError, match=r"evil-1\.0-py3-none-any\.whl of the project evil is staged into a release"):
        named.release()
    assert place.listed() == []
    assert read_index(place.store, "evil") is None


def test_projects_of_a_family_are_released_together(place: Place) -> None:
    config = CONFIG + '[tool.variant-publish.family]\nmembers = ["foo-bar", "other"]\n[project]\nname = "foo-bar"\n'
    family = Place(place.folder, config)
    for name in (GENERIC, PLUS):
        family.stage(family.wheel(name))
        family.stage(family.wheel(name.replace("foo_bar", "other")))
    assert family.release()
    assert verify(place.store, deep=True).projects == ("foo-bar", "other")


@pytest.mark.parametrize(
    "text",
    ["../evil.whl", "foo-bar/../x.whl", "/etc/passwd", "foo-bar/index.html", "Foo/foo-1.0-py3-none-any.whl", "foo-bar",
     "foo-bar/foo-1.0-py3-none-any.whl", "foo-bar/foo_bar-1.0-a-b-c/../x.whl", "foo-bar/a\n.tar.gz", "foo-bar/" + "9" * 300,
     "foo-bar/foo_bar-" + "9" * 5000 + ".tar.gz", ".staged/x.whl"],
)  # fmt: skip
def test_a_state_that_names_anything_but_files_of_the_stage_is_refused(place: Place, text: str) -> None:
    stage = staged(place)
    before = place.objects()
    project, _, filename = text.partition("/")
    files = [{"project": project, "filename": filename}]
    state = {"schema-version": 2, "name": "foo", "status": "releasing", "files": files, "generation": 2}
    put(stage.store, "state.json", json.dumps(state).encode())
    for attempt in (place.release, stage.abort, stage.finish):
        with pytest.raises(InvalidStage):
            attempt()
    assert place.objects() == before


def test_the_state_of_another_stage_is_refused(place: Place) -> None:
    stage = staged(place)
    put(stage.store, "state.json", StageState("bar").dumps().encode())
    with pytest.raises(VariantPublishError, match=r"state\.json of the stage foo is not what"):
        place.release()


@pytest.mark.parametrize("key", ["foo-bar/index.html.summary.json", "a/b/c.summary.json", "x.summary.json"])
def test_a_summary_at_another_place_is_refused(place: Place, key: str) -> None:
    stage = staged(place)
    put(stage.store, key, b"{}")
    with pytest.raises(InvalidStage):
        place.release()


def test_a_summary_of_another_file_is_refused(place: Place) -> None:
    stage = staged(place)
    forge(stage, file=GENERIC)
    with pytest.raises(InvalidStage, match="is the summary of"):
        place.release()


def test_a_state_says_the_same_after_it_was_read() -> None:
    files = (StagedFile("foo-bar", GENERIC), StagedFile("foo-bar", SDIST))
    state = StageState("foo", Status.RELEASING, files, 3)
    assert StageState.parse(state.dumps(), "foo") == state


JOBS = int(os.environ.get("VARIANT_PUBLISH_JOBS", "16"))
WHEELS = 10


def many(count: int) -> str:
    """Give the configuration of a release that so many jobs make, each for a Python of its own."""
    return f"""
        [tool.variant-publish]
        dialects = ["plus"]
        [tool.variant-publish.matrix]
        python = [{", ".join(f'"cp{300 + job}-cp{300 + job}"' for job in range(count))}]
        platform = [{", ".join(f'"manylinux_2_{number}_x86_64"' for number in range(20, 20 + WHEELS // 2))}]
        [tool.variant-publish.variants.cu128]
        properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
    """


def names_of(job: int) -> Iterator[str]:
    for number in range(20, 20 + WHEELS // 2):
        plain = f"foo_bar-1.0-cp{300 + job}-cp{300 + job}-manylinux_2_{number}_x86_64"
        yield from (f"{plain}.whl", f"{plain}+cu128.whl")


@pytest.mark.slow(seconds=30)
@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked from a server that is warm")
@pytest.mark.parametrize(("kind", "count"), [("folder", JOBS), ("bucket", 8)])
def test_nobody_sees_a_part_of_what_many_jobs_stage_at_once(kind: str, count: int, tmp_path: Path, moto: Moto) -> None:
    """Each job stages ten wheels; one of them is killed, and one wheel comes late."""
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
        context.Process(target=jobs.stage, args=(str(tmp_path / str(job)), place, address, many(count)))
        for job in range(count)
    ]
    for process in running:
        process.start()
    with closing(open_store(place, endpoint_url=address)) as store:
        victim = running[7]
        while victim.is_alive() and not any(item.key.endswith(".whl") for item in store.keys(".staged/big/")):
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
        assert len(whole.contents.summaries) == count * WHEELS
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
